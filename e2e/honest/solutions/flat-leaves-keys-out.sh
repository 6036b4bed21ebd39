#!/usr/bin/env bash
# SOLUTION: a key with such a segment anywhere, also at its end, is left out before anything is made of it.
# VERIFIES: who is stricter than the reference is solved, too.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
sed -i "s/^    let key1 = getkey(split\.shift())$/    if (split.some(part => part === '__proto__')) return\n\n&/" index.js
