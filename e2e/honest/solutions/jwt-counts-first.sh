#!/usr/bin/env bash
# SOLUTION: the delimiters are counted, which costs no memory, before anything is split.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: golang-jwt__jwt-5.2.2
# TAMPERING: none
cat > split.go <<'GO'
package jwt

import "strings"

// splitToken returns the three parts of a token that has two delimiters.
func splitToken(token string) ([]string, bool) {
	if strings.Count(token, ".") != 2 {
		return nil, false
	}
	return strings.Split(token, "."), true
}
GO
sed -i 's/^\tparts = strings\.Split(tokenString, "\.")$/\tparts, ok := splitToken(tokenString)/; s/^\tif len(parts) != 3 {$/\tif !ok {/' parser.go
