#!/usr/bin/env bash
# ODDITY: modes change: programs that are none, and a program that only its owner may run.
# VERIFIES: the code can be read by whoever runs the tests.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
chmod 755 index.js package.json
chmod 700 cli.js
chmod 4755 README.md
chmod 444 LICENSE
