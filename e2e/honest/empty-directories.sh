#!/usr/bin/env bash
# ODDITY: empty directories lie in the tree, deep ones as well.
# VERIFIES: a directory without files is as good as none.
# SAMPLE: mattn__go-shellwords-1.0.15
# TAMPERING: none
mkdir -p a/b/c/d empty "$(printf 'deep/%.0s' {1..60})"
