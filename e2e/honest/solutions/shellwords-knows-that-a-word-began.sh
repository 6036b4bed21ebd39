#!/usr/bin/env bash
# SOLUTION: a quote begins a word, whether something stands in it or not.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: mattn__go-shellwords-1.0.15
# TAMPERING: none
sed -i 's/dollarQuote, comment bool$/dollarQuote, comment, inWord bool/
s/^\t\tgot = argNo$/&\n\t\tinWord = false/
s/^\t\t\t\t\(double\|single\)Quoted = !.*$/&\n\t\t\t\tinWord = true/
s/len(buf) == 0 \&\& !(escaped/!inWord \&\& &/' shellwords.go
