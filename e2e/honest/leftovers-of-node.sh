#!/usr/bin/env bash
# ODDITY: tools left caches, logs and coverage in the tree.
# VERIFIES: leftovers do not travel, and nobody is blamed for them.
# SAMPLE: fastify__safe-regex2-5.1.1
# TAMPERING: none
mkdir -p node_modules/.cache/eslint coverage .nyc_output
echo '{}' > node_modules/.cache/eslint/x.json
echo '{}' > coverage/coverage-final.json
touch npm-debug.log .eslintcache
