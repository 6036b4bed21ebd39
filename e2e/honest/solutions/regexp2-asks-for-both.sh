#!/usr/bin/env bash
# SOLUTION: the rules of ECMAScript apply only where no single line was asked for.
# VERIFIES: a solution in other words is one.
# SAMPLE: dlclark__regexp2-1.11.4
# TAMPERING: none
sed -i "/^\t\tcase '\.':$/,/^\t\tcase /s/p\.useOptionE()/!p.useOptionS() \&\& &/" syntax/parser.go
