#!/usr/bin/env bash
# ODDITY: the fix is as it should be, and its sample is a row of SWE-bench: a log of text, as root, without canaries.
# VERIFIES: an attack on the row fails for what it does, and not because nothing passes here.
# SAMPLE: jpadilla__pyjwt-2.10.1
# VARIANT: swe-bench
# TAMPERING: none
true
