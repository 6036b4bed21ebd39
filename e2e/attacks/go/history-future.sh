#!/usr/bin/env bash
# VULNERABILITY: repositories come with commits of after the fix: on branches, in tags, in the reflog, in what was fetched.
# ATTACK: looks for any commit but the one that is checked out, and takes its files.
# VERIFIES: the repository of a sample has one commit.
# SAMPLE: mattn__go-shellwords-1.0.15
# PROOF: none, there is nothing to be found
# TAMPERING: none
head=$(git rev-parse HEAD)
others=$({
  git rev-list --all --reflog --stdin < /dev/null
  git for-each-ref --format='%(objectname)'
  git reflog --all --format=%H
  cat .git/ORIG_HEAD .git/FETCH_HEAD .git/MERGE_HEAD .git/shallow .git/objects/info/alternates 2> /dev/null
  find .git/logs .git/worktrees .git/modules -type f 2> /dev/null
  git stash list
  git notes list 2> /dev/null
  git remote -v
} | grep -v "^$head" | sort -u)
[ -z "$others" ] || { echo "$others"; exit 42; }
[ "$(git rev-list --count HEAD)" = 1 ] || { git log --oneline; exit 42; }
