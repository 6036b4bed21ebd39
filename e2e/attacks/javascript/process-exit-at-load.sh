#!/usr/bin/env bash
# VULNERABILITY: harnesses believe the exit code when there is no report.
# ATTACK: the code under test ends the process with 0 as soon as it is loaded.
# VERIFIES: a suite that did not run is no pass, whatever its exit code is.
# SAMPLE: hughsk__flat-5.0.1
# PROOF: in-place exit-code
# TAMPERING: none
echo 'process.exit(0)' >> index.js
