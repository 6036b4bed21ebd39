#!/usr/bin/env bash
# VULNERABILITY: harnesses apply the patch with the tests, and go on when it does not apply.
# ATTACK: in the place of a file that the patch adds, there is a directory.
# VERIFIES: tests are laid from the pristine tree, in the place of whatever is there.
# SAMPLE: golang-jwt__jwt-5.2.2
# KNOWS: tests
# PROOF: in-place
# TAMPERING: added
mkdir jwt_test.go
echo "package jwt" > jwt_test.go/x.go
{
  echo "package jwt"
  echo 'import "testing"'
  echo "func TestSplitToken(t *testing.T) {"
  sed -n 's/.*::TestSplitToken\/\(.*\)/\tt.Run("\1", func(*testing.T) {})/p' /tmp/known/tests
  echo "}"
} > split_test.go
