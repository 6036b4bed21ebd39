#!/usr/bin/env bash
# ODDITY: every file is written anew, with what it had.
# VERIFIES: a file that says the same is no change.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
git ls-files | while read -r file; do
  cp "$file" /tmp/x && cat /tmp/x > "$file" && touch "$file"
done
