#!/usr/bin/env bash
# ODDITY: a file of 5 MiB lies in the tree, and many small ones.
# VERIFIES: the work is bounded, but not narrowly.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
head -c 5M /dev/urandom > data.bin
mkdir many
seq 2000 | (cd many && xargs touch)
