#!/usr/bin/env bash
# SOLUTION: the class of the dot is made where it is needed: with a single line, all that ECMAScript leaves out is added to it.
# VERIFIES: a solution by another algorithm is one.
# SAMPLE: dlclark__regexp2-1.11.4
# TAMPERING: none
cat > syntax/dot.go <<'GO'
package syntax

// ecmaDot is what a dot stands for in ECMAScript: all but the ends of lines, and these as
// well where the text is a single one.
func ecmaDot(singleLine bool) *CharSet {
	set := ECMAAnyClass().Copy()
	if singleLine {
		set.addChar('\n')
		set.addChar('\r')
		set.addRange(0, '\uffff')
	}
	return &set
}
GO
sed -i 's/^\t\t\t\tp\.addUnitSet(ECMAAnyClass())$/\t\t\t\tp.addUnitSet(ecmaDot(p.useOptionS()))/' syntax/parser.go
