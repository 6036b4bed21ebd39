#!/usr/bin/env bash
# SOLUTION: the first and the last delimiter are looked for, and there may be none between them.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: golang-jwt__jwt-5.2.2
# TAMPERING: none
cat > split.go <<'GO'
package jwt

import "strings"

func splitToken(token string) ([]string, bool) {
	first, last := strings.IndexByte(token, '.'), strings.LastIndexByte(token, '.')
	if first == last || strings.IndexByte(token[first+1:last], '.') >= 0 {
		return nil, false
	}
	return []string{token[:first], token[first+1 : last], token[last+1:]}, true
}
GO
sed -i 's/^\tparts = strings\.Split(tokenString, "\.")$/\tvar whole bool\n\tif parts, whole = splitToken(tokenString); !whole {/; /^\tif len(parts) != 3 {$/d' parser.go
