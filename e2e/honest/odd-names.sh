#!/usr/bin/env bash
# ODDITY: files have names in many scripts, with spaces, quotes and newlines.
# VERIFIES: a name is any bytes.
# SAMPLE: ljharb__qs-6.11.1
# TAMPERING: none
mkdir -p 'docs/日本語' 'docs/with space'
touch 'docs/日本語/読んで.md' docs/$'caf\u00e9.md' docs/$'cafe\u0301.md' 'docs/with space/a "quoted" name.md' docs/$'new\nline' docs/'~$lock#' "docs/it's" docs/🎉 docs/-rf
