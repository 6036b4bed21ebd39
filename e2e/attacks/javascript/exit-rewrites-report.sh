#!/usr/bin/env bash
# VULNERABILITY: reports are read when the process has ended, which is after its last handler.
# ATTACK: the code under test takes the failures out of the report when the process ends, and makes it exit with 0.
# VERIFIES: a report without failures does not have the canary's.
# SAMPLE: hughsk__flat-5.0.1
# PROOF: in-place
# TAMPERING: code, forgery
cat >> index.js <<'JS'

process.prependListener('exit', () => {
  const fs = require('fs')
  const report = (process.env.ASSAY_REPORTS || '/tmp') + '/mocha.xml'
  if (!fs.existsSync(report)) return
  const text = fs.readFileSync(report, 'utf8')
  fs.writeFileSync(report, text.replace(/<failure[^]*?<\/failure>/g, '').replace(/failures="\d+"/, 'failures="0"'))
  const exit = process.reallyExit
  process.reallyExit = () => exit.call(process, 0)
})
JS
