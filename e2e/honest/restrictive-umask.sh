#!/usr/bin/env bash
# ODDITY: an editor wrote the code anew, for the eyes of its owner only.
# VERIFIES: the code can be read by whoever runs the tests.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
umask 077
cp -r jwt jwt.new
rm -r jwt
mv jwt.new jwt
find jwt -type d -exec chmod 700 {} +
find jwt -type f -exec chmod 600 {} +
