#!/usr/bin/env bash
# SOLUTION: a comment begins at the start of the line, or behind a space that ends a word.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: mattn__go-shellwords-1.0.15
# TAMPERING: none
sed -i 's/^\tfor _, r := range line {$/\tfor at, r := range line {/
s/len(buf) == 0 \&\& !(escaped/len(buf) == 0 \&\& (at == 0 || isSpace(rune(line[at-1]))) \&\& !(escaped/' shellwords.go
