package foreign

import (
	"testing"

	"assay"
)

func TestCommandsForSomeTests(t *testing.T) {
	for command, want := range map[string]string{
		"pytest -rA tests/test_a.py tests/b":                      "pytest -rA {tests}",
		"exec 2>&1\ncd /testbed\npytest -rA -p no:x a.py\ntrue\n": "exec 2>&1\ncd /testbed\npytest -rA -p no:x {tests}\ntrue\n",
		"python3.9 -m pytest -n 4 --tb short tests || true":       "python3.9 -m pytest -n 4 --tb short {tests} || true",
		"  pytest":                      "  pytest {tests}",
		"pytest tests > log.txt 2>&1":   "pytest {tests} > log.txt 2>&1",
		"pytest -k some tests":          "",
		"pytest tests\npytest more":     "",
		"pytest \"$X\"":                 "",
		"for x in *; do pytest $x;done": "",
		"pytest a.py && rm b":           "",
		"go test -v -count=1 ./...":     "go test -v -count=1 -run={tests} ./...",
		"go test -v -run TestA ./...":   "",
		"go test -v":                    "",
		"npx jest --verbose a.test.js":  "npx jest -t {tests} --verbose a.test.js",
		"yarn jest -t x":                "",
		"npm test":                      "",
		"bash /home/run.sh":             "",
		"":                              "",
	} {
		v := &assay.Verifier{Command: command, Reports: []assay.ReportSpec{{Path: "-", Format: "pytest-text"}}}
		if got := CommandFor(v); got != want {
			t.Errorf("%q became %q, want %q", command, got, want)
		}
	}
	v := &assay.Verifier{Command: "go test -json ./a ./b > x", Reports: []assay.ReportSpec{{Path: "x", Format: "go-test-json"}}}
	if got, want := CommandFor(v), "go test -json -run={tests} {files} > x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
