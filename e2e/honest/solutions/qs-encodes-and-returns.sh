#!/usr/bin/env bash
# SOLUTION: the values of such an array are encoded and joined at once, and null in it counts as empty, where the reference throws.
# VERIFIES: who does better than the reference is solved, too.
# SAMPLE: ljharb__qs-6.11.1
# TAMPERING: none
node - <<'JS'
const fs = require('fs')
let text = fs.readFileSync('lib/stringify.js', 'utf8')
text = text.replace(/ {12}if \(generateArrayPrefix === 'comma' && encodeValuesOnly\) \{[^]*?\n {12}\}\n/, '')
text = text.replace(/^var split = .*\n/m, '')
text = text.replace('    var values = [];\n', `    if (generateArrayPrefix === 'comma' && encodeValuesOnly && encoder && isArray(obj) && obj.length > 0) {
        var list = '';
        for (var n = 0; n < obj.length; n++) {
            var text = obj[n] === null || typeof obj[n] === 'undefined' ? '' : encoder(obj[n], defaults.encoder, charset, 'value', format);
            list += (n > 0 ? ',' : '') + formatter(text);
        }
        if (list === '' && (skipNulls || strictNullHandling)) {
            return skipNulls ? [] : [prefix];
        }
        return [formatter(commaRoundTrip && obj.length === 1 ? prefix + '[]' : prefix) + '=' + list];
    }

$&`)
fs.writeFileSync('lib/stringify.js', text)
JS
