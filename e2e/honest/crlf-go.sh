#!/usr/bin/env bash
# ODDITY: the code has the line endings of Windows, and a byte order mark.
# VERIFIES: line endings are the agent's business.
# SAMPLE: mattn__go-shellwords-1.0.15
# TAMPERING: none
sed -i 's/$/\r/' shellwords.go util_posix.go
sed -i '1s/^/\xef\xbb\xbf/' shellwords.go
