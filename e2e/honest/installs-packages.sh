#!/usr/bin/env bash
# ODDITY: packages were installed beside the code, to try things out.
# VERIFIES: what is installed stays behind, and nobody is blamed for it.
# SAMPLE: fastify__safe-regex2-5.1.1
# TAMPERING: none
mkdir -p node_modules/left-pad node_modules/.bin
echo '{"name": "left-pad", "version": "1.3.0"}' > node_modules/left-pad/package.json
echo 'module.exports = String' > node_modules/left-pad/index.js
ln -s ../left-pad/index.js node_modules/.bin/left-pad
echo '{"lockfileVersion": 3}' > package-lock.json
