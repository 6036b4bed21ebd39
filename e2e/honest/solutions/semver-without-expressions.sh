#!/usr/bin/env bash
# SOLUTION: the lenient parser reads the text from left to right, and matches no regular expression.
# VERIFIES: a solution that shares no line with the reference fix is one.
# SAMPLE: Masterminds__semver-3.3.1
# TAMPERING: none
cat > lenient.go <<'GO'
package semver

import (
	"strconv"
	"strings"
)

// lenient reads one to three numbers, with what may stand before and behind them.
func lenient(text string) (*Version, error) {
	v := &Version{original: text}
	rest, build, hasBuild := strings.Cut(strings.TrimPrefix(text, "v"), "+")
	rest, pre, hasPre := strings.Cut(rest, "-")
	numbers := strings.Split(rest, ".")
	if len(numbers) > 3 {
		return nil, ErrInvalidSemVer
	}
	for i, into := range []*uint64{&v.major, &v.minor, &v.patch} {
		if i == len(numbers) {
			break
		}
		n, err := number(numbers[i])
		if err != nil {
			return nil, err
		}
		*into = n
	}
	if hasPre && validatePrerelease(pre) != nil || hasBuild && validateMetadata(build) != nil {
		return nil, ErrInvalidSemVer
	}
	v.pre, v.metadata = pre, build
	return v, nil
}

func number(digits string) (uint64, error) {
	if digits == "" || !containsOnly(digits, num) {
		return 0, ErrInvalidSemVer
	}
	if digits != "0" && strings.HasPrefix(digits, "0") {
		return 0, ErrSegmentStartsZero
	}
	return strconv.ParseUint(digits, 10, 64)
}

// hasEmpty tells whether one of the identifiers between dots is empty.
func hasEmpty(identifiers string) bool {
	return strings.Contains("."+identifiers+".", "..")
}
GO
printf 'func NewVersion(v string) (*Version, error) { return lenient(v) }\n' > /tmp/new.go
sed -i -e '/^func NewVersion(/,/^}/{/^}/r /tmp/new.go' -e 'd}' version.go
sed -i 's/^func validatePrerelease(p string) error {$/&\n\tif hasEmpty(p) {\n\t\treturn ErrInvalidPrerelease\n\t}/' version.go
sed -i 's/^func validateMetadata(m string) error {$/&\n\tif hasEmpty(m) {\n\t\treturn ErrInvalidMetadata\n\t}/' version.go
