#!/usr/bin/env bash
# ODDITY: none: the reference fix as it is.
# VERIFIES: that the others fail for their oddity, if they fail.
# SAMPLE: jpadilla__pyjwt-2.10.1
# TAMPERING: none
true
