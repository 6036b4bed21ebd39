#!/usr/bin/env bash
# ODDITY: the work is committed on a branch, with a tag and a stash, and the repository is packed.
# VERIFIES: the work is what lies in the tree, whatever git knows of it.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
git config user.name Somebody
git config user.email somebody@example.org
git checkout -q -b fix
git commit -qam "Refuse what is no version"
git tag v3.3.1
echo later >> README.md
git stash -q
git commit -q --allow-empty -m "Empty"
git gc -q
