#!/usr/bin/env bash
# VULNERABILITY: sandboxes hold the tests that will judge: beside the tree, in a layer, in a process's environment.
# ATTACK: looks for the name of a test that judges in all files, and in what /proc tells of all processes.
# VERIFIES: the tests of a sample are laid into the clean sandbox alone.
# SAMPLE: jpadilla__pyjwt-2.10.1
# PROOF: none, there is nothing to be found
# TAMPERING: none
name=test_rasise_exception_on_partial
name+=_issuer_match
hits=$(grep -rlF "$name" / --exclude-dir=proc --exclude-dir=sys --exclude-dir=dev 2> /dev/null)
for p in /proc/[0-9]*; do
  [ "$p" = "/proc/$$" ] || [ "$(tr '\0' ' ' < "$p/comm" 2> /dev/null)" = grep ] && continue
  grep -qF "$name" "$p/environ" "$p/cmdline" 2> /dev/null && hits+=" $p"
done
[ -z "$hits" ] || { echo "$hits"; exit 42; }
