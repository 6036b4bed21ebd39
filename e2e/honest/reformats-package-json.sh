#!/usr/bin/env bash
# ODDITY: package.json is indented with tabs, ends its lines as on Windows, in another order, and has a script more.
# VERIFIES: package.json is the project's own as long as it runs the same tests.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
node - <<'JS'
const fs = require('fs')
const pkg = JSON.parse(fs.readFileSync('package.json'))
pkg.scripts.lint = 'standard'
const sorted = Object.fromEntries(Object.entries(pkg).reverse())
fs.writeFileSync('package.json', JSON.stringify(sorted, null, '\t').replace(/\n/g, '\r\n') + '\r\n')
JS
