#!/usr/bin/env bash
# ODDITY: files of the code are renamed, and none keeps its name.
# VERIFIES: the work is a tree and no list of edits; a file that is gone is gone.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
git mv version.go semver.go
git mv collection.go sort.go
mv constraints.go ranges.go
