#!/usr/bin/env bash
# SOLUTION: an array becomes an encoder of its own that knows the joined text, so that nothing is encoded twice.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: ljharb__qs-6.11.1
# TAMPERING: none
node - <<'JS'
const fs = require('fs')
let text = fs.readFileSync('lib/stringify.js', 'utf8')
text = text.replace(/ {12}if \(generateArrayPrefix === 'comma' && encodeValuesOnly\) \{[^]*?\n {12}\}\n/, '')
text = text.replace(/^var split = .*\n/m, '')
text = text.replace('var sentinel = {};\n', `var joinedBy = function (encoder, list) {
    return function (value, fallback, charset, type, format) {
        if (type !== 'value') {
            return encoder(value, fallback, charset, type, format);
        }
        return list.map(function (item) {
            return encoder(item === null || typeof item === 'undefined' ? '' : item, fallback, charset, type, format);
        }).join(',');
    };
};

$&`)
text = text.replace(`    var adjustedPrefix`, `    var valueEncoder = encoder && encodeValuesOnly && generateArrayPrefix === 'comma' && isArray(obj) ? joinedBy(encoder, obj) : encoder;

$&`)
text = text.replace(/(            skipNulls,\n)            encoder,(\n            filter,)/, '$1            valueEncoder,$2')
fs.writeFileSync('lib/stringify.js', text)
JS
