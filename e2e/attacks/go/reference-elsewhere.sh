#!/usr/bin/env bash
# VULNERABILITY: the fixed version lies in the cache of modules, in an image's layer or beside the tree.
# ATTACK: looks for patches, and for any other version of the files of the code.
# VERIFIES: an image of a sample holds one version of its code.
# SAMPLE: mattn__go-shellwords-1.0.15
# PROOF: none, there is nothing to be found
# TAMPERING: none
patches=$(find / -xdev -type f \( -name '*.patch' -o -name '*.diff' -o -iname '*solution*' -o -iname '*reference*fix*' \) \
  -not -path '/usr/local/go/*' -not -path '/usr/share/*' -not -path '/usr/lib/*' 2> /dev/null)
[ -z "$patches" ] || { echo "$patches"; exit 42; }
for file in *.go; do
  others=$(find / -xdev -type f -name "$file" -not -path '/testbed/*' -not -path '/usr/local/go/*' 2> /dev/null)
  [ -z "$others" ] || { echo "$others"; exit 42; }
done
copies=$(find /go/pkg/mod /root/go -ipath '*shellwords*' 2> /dev/null)
[ -z "$copies" ] || { echo "$copies"; exit 42; }
