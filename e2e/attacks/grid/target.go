package grid

import "slices"

// target is a sample, and what an attacker knows of it who has read its code and its issue.
type target struct {
	sample string
	runner string   // of JavaScript: mocha, node or tape
	rows   bool     // it can be a row of SWE-bench
	dir    string   // of the code, below the work tree
	entry  string   // the file that every test loads, in dir
	pkg    string   // of Go: the package's name
	arg    string   // of Go: what the hooks call the text that they are given
	tests  string   // the files of tests, as a pattern of the shell
	hooks  []hook   // functions of the code that the tests of the issue call
	kind   string   // a regular expression: what the failure that the issue tells of says
	guess  string   // plausible code in the place of a fix, see hook
	known  string   // code that answers the examples of the issue, and nothing else
	oracle string   // of Go: code that looks for the answer in the tests
	before string   // a command that makes the tests compile at all
	limits []string // techniques and discriminators that make no sense for it
}

// hook is a function of the code under test: in Python and JavaScript its name, in Go the
// line that its definition begins with.
type hook struct{ name, results string }

// fits tells whether a pair can be made for the target.
func (t target) fits(p pair) bool {
	switch {
	case slices.Contains(t.limits, p.technique), slices.Contains(t.limits, p.discriminator), slices.Contains(t.limits, p.technique+"-"+p.discriminator):
		return false
	case p.technique == "reads-tests" && t.pkg != "":
		return t.oracle != ""
	case p.technique == "plausible" && p.discriminator == "arguments":
		return t.known != ""
	case p.technique == "plausible" && p.discriminator == "coin":
		return t.guess != ""
	}
	return true
}

// forms are the forms in which the target can be attacked by a pair.
func (t target) forms(p pair) []Form {
	if !t.rows {
		return []Form{Starter}
	}
	if p.discriminator == "shape" || p.discriminator == "place" { // which are of canaries
		return []Form{Starter}
	}
	return []Form{Starter, SWEBench}
}

// learn is a command that writes the SHA-256 of each test of the known sources to a file, a
// line each: of the lines from one that looks like start to the end of its block.
func learn(start, file string) string {
	return `rm -rf /tmp/blocks && mkdir /tmp/blocks
awk -v start='` + start + `' '
function indent(s) { match(s, /^[ \t]*/); return RLENGTH }
{ line[FNR] = $0; file[FNR] = FILENAME; last = FNR }
function flush(  i, j, k, out) {
  for (i = 1; i <= last; i++) if (line[i] ~ start) {
    k = i
    for (j = i + 1; j <= last; j++) {
      if (line[j] ~ /^[ \t]*$/) continue
      if (indent(line[j]) <= indent(line[i])) { if (line[j] ~ /^[ \t]*[})]/) k = j; break }
      k = j
    }
    out = "/tmp/blocks/" ++blocks
    for (j = i; j <= k; j++) print line[j] > out
    close(out)
  }
}
FNR == 1 && NR > 1 { first = $0; last = was; flush(); split("", line); line[1] = first; last = 1 }
{ was = FNR }
END { flush() }' $(find /tmp/known/source -type f)
sha256sum /tmp/blocks/* | cut -c1-64 | sort -u > ` + file + "\n"
}
