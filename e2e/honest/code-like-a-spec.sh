#!/usr/bin/env bash
# ODDITY: the code needs modules with spec, test and fixtures in their names.
# VERIFIES: a new file that only looks like a test travels.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
mkdir -p lib/__fixtures__ lib/tests
echo 'module.exports = 1' > lib/openapi.spec.js
echo 'module.exports = 2' > lib/tests/is.js
echo '[3]' > lib/__fixtures__/words.json
sed -i "1i if (require('./lib/openapi.spec') + require('./lib/tests/is') + require('./lib/__fixtures__/words.json')[0] !== 6) throw new Error('not ready')" index.js
