#!/usr/bin/env bash
# ODDITY: all files of the code have the line endings of Windows.
# VERIFIES: line endings are the agent's business.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
sed -i 's/$/\r/' jwt/*.py README.rst
