#!/usr/bin/env bash
# VULNERABILITY: the fixed version lies among the installed packages, as what another package needs.
# ATTACK: looks for any other copy of the package, and for files of its names.
# VERIFIES: an image of a sample holds one version of its code.
# SAMPLE: ljharb__qs-6.11.1
# PROOF: none, there is nothing to be found
# TAMPERING: none
others=$(find / -xdev -name stringify.js -not -path '/testbed/*' -exec grep -l encodeValuesOnly {} + 2> /dev/null)
[ -z "$others" ] || { echo "$others"; exit 42; }
packages=$(find / -xdev -path '*/node_modules/qs' -o -xdev -name 'qs-6*.tgz' 2> /dev/null)
[ -z "$packages" ] || { echo "$packages"; exit 42; }
