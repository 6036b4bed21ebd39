#!/usr/bin/env bash
# ODDITY: git init was called again, and repositories were cloned into the tree.
# VERIFIES: hooks that git does not run, and settings that run nothing, are no tampering.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
git init -q .
git clone -q . vendored-copy
git init -q docs/example
mkdir -p docs/example/.git/hooks
printf '#!/bin/sh\nexit 1\n' > docs/example/.git/hooks/pre-commit.sample
chmod +x docs/example/.git/hooks/pre-commit.sample
git config user.name Somebody
git config core.autocrlf input
