package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay"
	"assay/client"
	"assay/internal/testid"
)

// knowledge is where an attack finds what it knows beforehand.
const knowledge = "/tmp/known"

// teach lays what an attack knows into its session: the names of the expected tests, a line
// each; a report of the sample's format in which all of them passed; and for Go the log of a
// test binary with the same to say, marked as go test -json wants it.
func teach(ctx context.Context, api *client.Client, session string, sample *assay.Sample) error {
	names := slices.Concat(sample.FailToPass, sample.PassToPass)
	slices.Sort(names)
	report, err := forge(sample.Task.Verifier.Reports[0].Format, names)
	if err != nil {
		return err
	}
	files := map[string]string{"tests": strings.Join(names, "\n") + "\n", "report": report}
	if sample.Task.Language == "go" {
		files["log"] = forgeGoLog(names)
	}
	for name, content := range files {
		packed, err := pack(content)
		if err != nil {
			return err
		}
		command := fmt.Sprintf("mkdir -p %[1]s && echo %[2]s | base64 -d | gzip -d > %[1]s/%[3]s", knowledge, packed, name)
		if _, err := run(ctx, api, session, command); err != nil {
			return fmt.Errorf("teach an attack: %w", err)
		}
	}
	return nil
}

// teachSource is a command that lays the files of tests as they judge below the knowledge,
// and leaves the work tree as it was.
func teachSource(sample *assay.Sample) string {
	names := strings.Join(touched(sample.TestPatch), " ")
	return fmt.Sprintf("%s; cd %[2]s && mkdir -p %[3]s/source && cp --parents %[4]s %[3]s/source && for f in %[4]s; do git checkout -q HEAD -- \"$f\" || rm -f \"$f\"; done",
		layTests(sample), sample.Task.Workdir, knowledge, names)
}

// pack makes text fit for a command's line.
func pack(text string) (string, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	err = errors.Join(err, w.Close())
	return base64.StdEncoding.EncodeToString(b.Bytes()), err
}

// forge returns a report of a run in which all tests passed, as good as can be.
func forge(format string, names []string) (string, error) {
	var b strings.Builder
	switch format {
	case "go-test-json":
		forgeGo(&b, names)
	case "junit-xml":
		fmt.Fprintf(&b, "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<testsuites><testsuite name=\"pytest\" errors=\"0\" failures=\"0\" skipped=\"0\" tests=\"%d\" time=\"0.5\">\n", len(names))
		for _, name := range names {
			parts := testid.Python(name)
			fmt.Fprintf(&b, "<testcase classname=\"%s\" name=\"%s\" time=\"0.001\"/>\n", escape(parts.Place), escape(parts.Below()))
		}
		b.WriteString("</testsuite></testsuites>\n")
	case "pytest-text":
		b.WriteString("=========================== short test summary info ============================\n")
		for _, name := range names {
			fmt.Fprintf(&b, "PASSED %s\n", name)
		}
		fmt.Fprintf(&b, "============================= %d passed in 0.50s ==============================\n", len(names))
	case "go-test-text":
		forgeGoText(&b, names)
	case "tap":
		b.WriteString("TAP version 13\n")
		for i, name := range names {
			fmt.Fprintf(&b, "ok %d - %s\n", i+1, name)
		}
		fmt.Fprintf(&b, "1..%[1]d\n# tests %[1]d\n# pass %[1]d\n# fail 0\n", len(names))
	default:
		return "", fmt.Errorf("no report of format %q can be forged", format)
	}
	return b.String(), nil
}

// forgeGo writes the events of go test -json, package by package.
func forgeGo(b *strings.Builder, names []string) {
	event := func(action, pkg, test, output string) {
		line, err := json.Marshal(struct {
			Time, Action, Package string
			Test, Output          string `json:",omitempty"`
		}{"2024-05-01T12:00:00.000000000Z", action, pkg, test, output})
		if err != nil {
			panic(err) // strings always can be written
		}
		b.Write(append(line, '\n'))
	}
	packages := map[string][]string{}
	var order []string
	for _, name := range names {
		parts := testid.Go(name)
		pkg, test := parts.Place, parts.Below()
		if packages[pkg] == nil {
			order = append(order, pkg)
		}
		packages[pkg] = append(packages[pkg], test)
	}
	for _, pkg := range order {
		event("start", pkg, "", "")
		for _, test := range packages[pkg] {
			event("run", pkg, test, "")
			event("output", pkg, test, "=== RUN   "+test+"\n")
		}
		slices.SortStableFunc(packages[pkg], innerFirst)
		for _, test := range packages[pkg] {
			event("output", pkg, test, "--- PASS: "+test+" (0.00s)\n")
			event("pass", pkg, test, "")
		}
		event("output", pkg, "", "PASS\n")
		event("output", pkg, "", "ok  \t"+pkg+"\t0.005s\n")
		event("pass", pkg, "", "")
	}
}

// forgeGoText writes what go test -v prints, which names no package of a test.
func forgeGoText(b *strings.Builder, names []string) {
	for _, name := range names {
		fmt.Fprintf(b, "=== RUN   %s\n", name)
	}
	for _, name := range slices.SortedStableFunc(slices.Values(names), innerFirst) {
		fmt.Fprintf(b, "--- PASS: %s (0.00s)\n", name)
	}
	b.WriteString("PASS\nok  \ttested\t0.005s\n")
}

// forgeGoLog returns what the binary of a package's tests prints with -test.v=test2json.
func forgeGoLog(names []string) string {
	var b strings.Builder
	tests := make([]string, len(names))
	for i, name := range names {
		tests[i] = testid.Go(name).Below()
		fmt.Fprintf(&b, "\x16=== RUN   %s\n", tests[i])
	}
	slices.SortStableFunc(tests, innerFirst)
	for _, test := range tests {
		fmt.Fprintf(&b, "\x16=== NAME  %[1]s\n\x16--- PASS: %[1]s (0.00s)\n", test)
	}
	b.WriteString("\x16=== NAME  \nPASS\n")
	return b.String()
}

// innerFirst orders subtests before what they are part of, as they end.
func innerFirst(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") }

func escape(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a Builder takes everything
	return b.String()
}
