#!/usr/bin/env bash
# ODDITY: processes that the agent started still run, and write into the tree.
# VERIFIES: a verification sees one moment, and none of the session's processes.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
(setsid python3 -m http.server 8123 --bind 127.0.0.1 > server.log 2>&1 &)
(setsid bash -c 'for n in {1..600}; do echo "$n" >> progress.log; sleep 0.05; done' > /dev/null 2>&1 &)
