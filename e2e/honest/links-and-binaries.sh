#!/usr/bin/env bash
# ODDITY: links, hard links and binary files lie in the tree.
# VERIFIES: whatever lies inside the tree travels.
# SAMPLE: ljharb__qs-6.11.1
# TAMPERING: none
ln -s lib source
ln -s ../lib/index.js lib/main.js
ln lib/utils.js lib/helpers.js
head -c 100000 /dev/urandom > dist/logo.png
printf '\x7fELF\0\0\0' > dist/native.node
ln -s nowhere dangling
