#!/usr/bin/env bash
# ODDITY: the whole tree is a copy of itself, in a folder that was made anew.
# VERIFIES: nobody is told of what is as it was.
# SAMPLE: hughsk__flat-5.0.1
# TAMPERING: none
cp -a . /tmp/copy
find . -mindepth 1 -delete
cp -a /tmp/copy/. .
