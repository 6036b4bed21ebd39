#!/usr/bin/env bash
# ODDITY: package.json gets another version and fields that steer nothing.
# VERIFIES: package.json is the project's own as long as it runs the same tests.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
node - <<'JS'
const fs = require('fs')
const pkg = JSON.parse(fs.readFileSync('package.json'))
pkg.version = '5.0.1'
pkg.sideEffects = false
pkg.funding = 'https://example.org/'
fs.writeFileSync('package.json', JSON.stringify(pkg, null, 4))
JS
