#!/usr/bin/env bash
# SOLUTION: name and offset are noted where they are read, and joined at the end.
# VERIFIES: a solution by another algorithm, that keeps a name before Z as well, is one.
# SAMPLE: itchyny__timefmt-go-0.1.5
# TAMPERING: none
sed -i 's/^\tvar pm bool$/&\n\tvar zoneName string\n\tvar zoneOffset *int/
s/^\t\t\t\tloc = t\.Location()$/&\n\t\t\t\tzoneName, _ = t.Zone()/
s/^\t\t\t\t\tloc, colons = time\.FixedZone("", sign\*(\(.*\))), 0$/\t\t\t\t\tseconds := sign * (\1)\n\t\t\t\t\tloc, zoneOffset, colons = time.FixedZone("", seconds), \&seconds, 0/
s/^\t\t\t\t\tloc, colons, j = time\.UTC, 0, j+1$/&\n\t\t\t\t\tzoneOffset = new(int)/
s/^\tif yday > 0 {$/\tif zoneName != "" \&\& zoneOffset != nil {\n\t\tloc = time.FixedZone(zoneName, *zoneOffset)\n\t}\n&/' parse.go
