#!/usr/bin/env bash
# ODDITY: go.mod gets a comment and a retraction.
# VERIFIES: go.mod is the project's own as long as it builds the same tests.
# SAMPLE: mattn__go-shellwords-1.0.15
# TAMPERING: none
printf '\n// Published by mistake.\nretract v1.0.0\n' >> go.mod
