#!/usr/bin/env bash
# ODDITY: the files belong to another user, as after work under sudo -u.
# VERIFIES: owners do not travel.
# SAMPLE: pallets__itsdangerous-2.1.1
# TAMPERING: none
chown -R 65534:65534 src
chown 1000:1000 setup.py README.rst .
