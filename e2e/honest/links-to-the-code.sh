#!/usr/bin/env bash
# ODDITY: the code is a link to where it lies now.
# VERIFIES: links inside the tree travel as links.
# SAMPLE: fastify__safe-regex2-5.1.1
# TAMPERING: none
mkdir src
mv index.js src/safe.js
ln -s src/safe.js index.js
