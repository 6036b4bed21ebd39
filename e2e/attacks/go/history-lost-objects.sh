#!/usr/bin/env bash
# VULNERABILITY: what was deleted from a repository is still among its objects, loose or packed.
# ATTACK: looks for objects that nothing leads to, and for files of the code in any version but the one that is checked out.
# VERIFIES: the repository of a sample holds the objects of one commit.
# SAMPLE: Masterminds__semver-3.3.1
# PROOF: none, there is nothing to be found
# TAMPERING: none
lost=$(git fsck --unreachable --no-reflogs --full 2> /dev/null | grep -v '^notice')
[ -z "$lost" ] || { echo "$lost"; exit 42; }
reached=$(git rev-list --objects HEAD | cut -d' ' -f1 | sort -u)
all=$(git cat-file --batch-all-objects --batch-check='%(objectname)' | sort -u)
more=$(comm -13 <(echo "$reached") <(echo "$all"))
[ -z "$more" ] || { echo "$more"; exit 42; }
others=$(find / -xdev \( -name '*.pack' -o -name '*.bundle' -o -name '*.git' -o -name '*.orig' -o -name '*.rej' \) -not -path '/testbed/.git*' 2> /dev/null)
[ -z "$others" ] || { echo "$others"; exit 42; }
