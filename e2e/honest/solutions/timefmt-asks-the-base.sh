#!/usr/bin/env bash
# SOLUTION: where the location to begin with has such a name and such an offset at that time, the result is in it.
# VERIFIES: a location that is another than the reference's, and says the same, is right.
# SAMPLE: itchyny__timefmt-go-0.1.5
# TAMPERING: none
cat > zone.go <<'GO'
package timefmt

import "time"

// zone is what a text said of its zone.
type zone struct {
	name     string
	offset   int
	named    bool
	measured bool
}

// in returns a time on the clocks of the zone, or as it is where the text said too little.
func (z zone) in(t time.Time, base *time.Location) time.Time {
	if !z.named || !z.measured {
		return t
	}
	year, month, day := t.Date()
	hour, min, sec := t.Clock()
	t = time.Date(year, month, day, hour, min, sec, t.Nanosecond(), time.FixedZone(z.name, z.offset))
	if name, offset := t.In(base).Zone(); name == z.name && offset == z.offset {
		return t.In(base)
	}
	return t
}
GO
sed -i 's/^\tvar pm bool$/&\n\tvar z zone/
s/^\t\t\t\tloc = t\.Location()$/&\n\t\t\t\tz.name, z.named = source[j:k], true/
s/^\t\t\t\t\tloc, colons = time\.FixedZone("", sign\*(\(.*\))), 0$/\t\t\t\t\tz.offset, z.measured = sign*(\1), true\n\t\t\t\t\tloc, colons = time.FixedZone("", z.offset), 0/
s/^\t\treturn \(time\.Date(.*)\.AddDate(.*)\), nil$/\t\treturn z.in(\1, base), nil/
s/^\treturn \(time\.Date(.*loc)\), nil$/\treturn z.in(\1, base), nil/' parse.go
