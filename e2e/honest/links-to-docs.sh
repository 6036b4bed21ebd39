#!/usr/bin/env bash
# ODDITY: documents are links, to files of the tree and to whole folders.
# VERIFIES: links inside the tree travel as links.
# SAMPLE: ljharb__qs-6.11.1
# TAMPERING: none
mkdir -p docs/latest
ln -s ../README.md docs/README.md
ln -s ../../lib docs/latest/lib
ln -s ../test docs/examples
