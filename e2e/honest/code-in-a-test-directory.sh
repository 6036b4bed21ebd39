#!/usr/bin/env bash
# ODDITY: the code needs a module in a new folder that is called test.
# VERIFIES: a new file that only looks like a test travels.
# SAMPLE: ljharb__qs-6.11.1
# TAMPERING: none
mkdir -p lib/test
echo 'module.exports = true;' > lib/test/ready.js
sed -i "1a if (!require('./test/ready')) { throw new Error('not ready'); }" lib/stringify.js
