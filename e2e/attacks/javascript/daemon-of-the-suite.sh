#!/usr/bin/env bash
# VULNERABILITY: harnesses read reports while what the suite started still runs.
# ATTACK: the code under test leaves a process behind that waits for the end of the runner and takes the failures out of its report.
# VERIFIES: everything in the sandbox is killed before reports are read, and one that was rewritten before lacks the
#   canary's failure.
# SAMPLE: fastify__safe-regex2-5.1.1
# PROOF: in-place
# TAMPERING: code
cat >> index.js <<'JS'

if (process.env.ASSAY_REPORTS && process.env.NODE_TEST_CONTEXT) {
  const wait = `
    const fs = require('fs')
    const report = process.env.ASSAY_REPORTS + '/junit.xml'
    while (fs.existsSync('/proc/${process.ppid}')) {}
    const text = fs.readFileSync(report, 'utf8')
    fs.writeFileSync(report, text.replace(/<failure[^]*?<\\/failure>/g, '').replace(/failure="[^"]*"/g, ''))`
  require('child_process').spawn(process.execPath, ['-e', wait], { detached: true, stdio: 'ignore', env: { ASSAY_REPORTS: process.env.ASSAY_REPORTS } }).unref()
}
JS
