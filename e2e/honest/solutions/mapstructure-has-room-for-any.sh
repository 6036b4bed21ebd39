#!/usr/bin/env bash
# SOLUTION: the number is read at any size, and refused where the field has no room for it.
# VERIFIES: who is stricter than the reference is solved, too.
# SAMPLE: mitchellh__mapstructure-1.4.3
# TAMPERING: none
cat > number.go <<'GO'
package mapstructure

import (
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
)

// setUnsigned sets a field without sign to a number of any size.
func setUnsigned(name string, number json.Number, weak bool, field reflect.Value) error {
	n, ok := new(big.Int).SetString(number.String(), 10)
	if !ok {
		return fmt.Errorf("error decoding json.Number into %s: %q is no whole number", name, number)
	}
	if n.IsInt64() && n.Sign() < 0 && weak {
		field.SetUint(uint64(n.Int64()))
		return nil
	}
	if !n.IsUint64() || field.OverflowUint(n.Uint64()) {
		return fmt.Errorf("cannot parse '%s', %s overflows uint", name, n)
	}
	field.SetUint(n.Uint64())
	return nil
}
GO
sed -i '/^func (d \*Decoder) decodeUint(/,/^}/s/^\t\tjn := data\.(json\.Number)$/\t\tif jn, ok := data.(json.Number); ok {\n\t\t\treturn setUnsigned(name, jn, d.config.WeaklyTypedInput, val)\n\t\t}\n&/' mapstructure.go
