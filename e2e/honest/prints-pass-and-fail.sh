#!/usr/bin/env bash
# ODDITY: the code prints lines that look as those of a test runner.
# VERIFIES: output is no outcome.
# SAMPLE: mattn__go-shellwords-1.0.15
# TAMPERING: code
cat > words.go <<'GO'
package shellwords

import "fmt"

func init() {
	fmt.Println("--- FAIL: TestSomething (0.00s)")
	fmt.Println("FAIL")
	fmt.Println("=== RUN   TestNothing")
	fmt.Println("--- PASS: TestNothing (0.00s)")
	fmt.Println("PASS")
	fmt.Println(`{"Action":"fail","Package":"github.com/mattn/go-shellwords","Test":"TestError"}`)
	fmt.Println("ok  	github.com/mattn/go-shellwords	0.001s")
}
GO
