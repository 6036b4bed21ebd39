#!/usr/bin/env bash
# ODDITY: large files were committed and removed again, so that the repository alone has more than a work may.
# VERIFIES: what a repository keeps for itself counts for nothing.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
git config user.name Somebody
git config user.email somebody@example.org
git commit -qam "Refuse what is no version"
for i in 1 2 3; do
  head -c 90000000 /dev/urandom > large
  git add large
  git commit -qm "Large $i"
done
git rm -q large
git commit -qm "Small again"
