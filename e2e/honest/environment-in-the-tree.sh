#!/usr/bin/env bash
# ODDITY: an environment of 20,500 files was installed into a folder that the project ignores.
# VERIFIES: what the image itself ignores is left out when it is much, and does not make the work too large.
# SAMPLE: golang-jwt__jwt-5.2.2
# TAMPERING: none
mkdir -p bin/lib/site
cd bin/lib/site
seq 20500 | xargs touch
