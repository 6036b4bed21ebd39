#!/usr/bin/env bash
# VULNERABILITY: filters look for folders called node_modules, and a link of that name leads anywhere.
# ATTACK: node_modules is a link to a folder of the tree with a tape whose assertions always hold.
# VERIFIES: names count, whatever stands under them.
# SAMPLE: ljharb__qs-6.11.1
# PROOF: in-place
# TAMPERING: added
mkdir -p docs/tape
cat > docs/tape/index.js <<'JS'
const tape = module.exports = require('/node_modules/tape')
const assert = tape.Test.prototype._assert
tape.Test.prototype._assert = function (ok, options) { return assert.call(this, true, options) }
JS
ln -s docs node_modules
