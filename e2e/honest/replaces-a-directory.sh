#!/usr/bin/env bash
# ODDITY: the folder of the code was made anew, without a file that nobody needs.
# VERIFIES: a folder that took the place of another has what it has now.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
cp -r src/itsdangerous /tmp/new
rm -r src/itsdangerous
mv /tmp/new src/itsdangerous
rm -f src/itsdangerous/py.typed
