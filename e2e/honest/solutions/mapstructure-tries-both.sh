#!/usr/bin/env bash
# SOLUTION: the number is read without a sign, and with one only where that fails.
# VERIFIES: a solution by another algorithm, that reads 010 as ten, is one.
# SAMPLE: mitchellh__mapstructure-1.4.3
# TAMPERING: none
cat > number.go <<'GO'
package mapstructure

import (
	"encoding/json"
	"strconv"
)

// unsigned reads a number from 0 to 2^64-1. Below zero it wraps around, where that is allowed.
func unsigned(number json.Number, wrap bool) (uint64, error) {
	n, err := strconv.ParseUint(number.String(), 10, 64)
	if err == nil {
		return n, nil
	}
	if below, signed := number.Int64(); signed == nil && wrap {
		return uint64(below), nil
	}
	return 0, err
}
GO
cat > /tmp/new.go <<'GO'
		i, err := unsigned(data.(json.Number), d.config.WeaklyTypedInput)
		if err != nil {
			return fmt.Errorf("cannot parse '%s': %w", name, err)
		}
		val.SetUint(i)
GO
sed -i -e '/^func (d \*Decoder) decodeUint(/,/^}/{/^\t\tjn := /,/^\t\tval\.SetUint/{/^\t\tval\.SetUint/r /tmp/new.go' -e 'd}}' mapstructure.go
