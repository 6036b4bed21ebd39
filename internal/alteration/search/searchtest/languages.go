package searchtest

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"assay/internal/testid"
)

var (
	pyDef    = regexp.MustCompile(`^def (test_\w+)\((.*)\):$`)
	pyParams = regexp.MustCompile(`^@(pytest\.mark\.parametrize|by_input)\("([\w, ]+)", \[$`)
	pyFor    = regexp.MustCompile(`^for ([\w, ]+) in \[$`)
	pyRaises = regexp.MustCompile(`^with pytest\.raises\((\w+)\):$`)
	pySet    = regexp.MustCompile(`^(\w+) = (.+)$`)
	pyEqual  = regexp.MustCompile(`^assert (.+?) (==|!=) (.+)$`)
	pyFlaky  = regexp.MustCompile(`^assert fails_in_run\((\d+)\) == "no"$`)
)

// pyFunction is a test of Python before its parameters.
type pyFunction struct {
	*pyFile
	name  string
	names []string
	first int // its first line
	lines []string
}

type pyFile struct {
	path string
	vars map[string]string // of the module
	nth  int
}

// pythonTests reads the tests of a file as pytest would.
func pythonTests(name, src string, nth int) []toyTest {
	f := &pyFile{path: name, vars: map[string]string{}, nth: nth}
	class := strings.TrimSuffix(strings.ReplaceAll(name, "/", "."), ".py")
	lines := strings.Split(src, "\n")
	var tests []toyTest
	var rows, ids, names []string
	byInput := false
	for i := 0; i < len(lines); i++ {
		switch m := pyParams.FindStringSubmatch(lines[i]); {
		case m != nil:
			byInput, names = m[1] == "by_input", strings.Split(m[2], ", ")
			for i++; !strings.HasPrefix(lines[i], "]"); i++ {
				if strings.TrimSpace(lines[i]) != "" {
					rows = append(rows, lines[i])
				}
			}
			ids = literals(lines[i])
		case pyDef.MatchString(lines[i]):
			fn := &pyFunction{pyFile: f, name: pyDef.FindStringSubmatch(lines[i])[1], names: names, first: i + 2}
			for i++; i < len(lines)-1 && (strings.HasPrefix(lines[i], " ") || strings.HasPrefix(lines[i+1], " ")); i++ {
				fn.lines = append(fn.lines, lines[i])
			}
			i--
			if rows == nil {
				tests = append(tests, toyTest{class: class, name: fn.name, run: func(c toyCode) (string, string) { return fn.run(c, nil) }})
			}
			for n, row := range rows {
				values := literals(row)
				id := strings.Join(values, "-")
				if byInput {
					id = values[0]
				} else if len(ids) > n {
					id = ids[n]
				}
				tests = append(tests, toyTest{class: class, name: fn.name + "[" + id + "]", run: func(c toyCode) (string, string) { return fn.run(c, values) }})
			}
			rows, ids, names, byInput = nil, nil, nil, false
		case pySet.MatchString(lines[i]):
			m := pySet.FindStringSubmatch(lines[i])
			f.vars[m[1]] = value(nil, f.vars, m[2])
		}
	}
	return tests
}

// run runs the function's lines until one fails.
func (f *pyFunction) run(code toyCode, values []string) (message, details string) {
	vars := bind(f.names, values, f.vars)
	for i := 0; i < len(f.lines); i++ {
		line := strings.TrimSpace(f.lines[i])
		if m := pyFor.FindStringSubmatch(line); m != nil {
			var rows [][]string
			for i++; strings.TrimSpace(f.lines[i]) != "]:"; i++ {
				if strings.TrimSpace(f.lines[i]) != "" {
					rows = append(rows, literals(f.lines[i]))
				}
			}
			i++
			for _, row := range rows {
				if why := f.line(code, bind(strings.Split(m[1], ", "), row, vars), f.lines[i]); why != "" {
					return f.failure(i, why)
				}
			}
			continue
		}
		if m := pyRaises.FindStringSubmatch(line); m != nil {
			i++
			if why := raises(m[1], func() { value(code, vars, f.lines[i]) }); why != "" {
				return f.failure(i, why)
			}
			continue
		}
		if why := f.line(code, vars, line); why != "" {
			return f.failure(i, why)
		}
	}
	return "", ""
}

// line runs a statement, and says why it failed.
func (f *pyFunction) line(code toyCode, vars map[string]string, line string) (why string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case raised:
			why = r.name + ": " + r.text
		default:
			panic(r)
		}
	}()
	line = strings.TrimSpace(line)
	if m := pyFlaky.FindStringSubmatch(line); m != nil {
		if m[1] == fmt.Sprint(f.nth) || m[1] == "2" && f.nth%2 == 0 {
			return "AssertionError: assert 'yes' == 'no'"
		}
		return ""
	}
	if m := pyEqual.FindStringSubmatch(line); m != nil {
		got, want := value(code, vars, m[1]), value(code, vars, m[3])
		if (got == want) != (m[2] == "==") {
			return fmt.Sprintf("AssertionError: assert '%s' %s '%s'\n  \n  - %s\n  + %s", got, m[2], want, want, got)
		}
		return ""
	}
	if line == "" {
		return ""
	}
	if text, ok := strings.CutPrefix(line, "assert "); ok {
		bare, not := strings.CutPrefix(text, "not ")
		if got := value(code, vars, bare); (got == "") != not {
			return fmt.Sprintf("AssertionError: assert %s'%s'", map[bool]string{true: "not "}[not], got)
		}
		return ""
	}
	if m := pySet.FindStringSubmatch(line); m != nil {
		vars[m[1]] = value(code, vars, m[2])
	} else if callForm.MatchString(line) {
		value(code, vars, line)
	}
	return ""
}

// failure is what pytest says of a line.
func (f *pyFunction) failure(i int, why string) (message, details string) {
	lines := strings.Split(why, "\n")
	for n := range lines {
		lines[n] = "E   " + lines[n]
	}
	kind, _, _ := strings.Cut(why, ":")
	details = fmt.Sprintf("    def %s():\n>   %s\n%s\n\n%s:%d: %s", f.name, f.lines[i], strings.Join(lines, "\n"), f.path, f.first+i, kind)
	return why, details
}

// raises runs what is to raise an exception, and says why that was wrong.
func raises(name string, do func()) (why string) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case raised:
			if why = ""; r.name != name {
				why = r.name + ": " + r.text
			}
		default:
			panic(r)
		}
	}()
	do()
	return "Failed: DID NOT RAISE <class '" + name + "'>"
}

var (
	goFunc  = regexp.MustCompile(`^func (Test\w+)\(`)
	goCheck = regexp.MustCompile(`^if got := (code\.\w+\(.+\)); got (!=|==) (.+) \{$`)
	goRow   = regexp.MustCompile(`^\{(.*)\},$`)
	goKeyed = regexp.MustCompile(`(\w+): "([^"]*)"`)
)

// goTests reads functions that check a call, or the rows of a table, each in a subtest
// where the table's rows have names and t.Run is called.
func goTests(name, src string) []toyTest {
	var tests []toyTest
	class := "example.org/" + path.Dir(name)
	lines := strings.Split(src, "\n")
	for i := 0; i < len(lines); i++ {
		m := goFunc.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		fn := &goFunction{file: name, name: m[1]}
		for i++; i < len(lines) && lines[i] != "}"; i++ {
			fn.read(strings.TrimSpace(lines[i]), i+1)
		}
		tests = append(tests, fn.tests(class)...)
	}
	return tests
}

type goCase struct {
	line            int
	call, op, want  string
	fatal, tableRow bool
	quiet           bool // it says nothing of what it compared
}

type goFunction struct {
	file, name string
	rows       []map[string]string
	subtests   bool
	checks     []goCase
	open       goCase
}

func (f *goFunction) read(line string, n int) {
	if m := goRow.FindStringSubmatch(line); m != nil && goKeyed.MatchString(m[1]) {
		row := make(map[string]string)
		for _, cell := range goKeyed.FindAllStringSubmatch(m[1], -1) {
			row["tc."+cell[1]] = cell[2]
		}
		f.rows = append(f.rows, row)
		return
	}
	f.subtests = f.subtests || strings.HasPrefix(line, "t.Run(tc.name")
	if m := goCheck.FindStringSubmatch(line); m != nil {
		f.open = goCase{line: n + 1, call: m[1], op: m[2], want: m[3], tableRow: strings.Contains(m[0], "tc.")}
	}
	if strings.HasPrefix(line, "t.Errorf") || strings.HasPrefix(line, "t.Fatalf") {
		f.open.quiet = strings.Contains(line, `f("quiet")`)
		f.open.fatal = strings.HasPrefix(line, "t.Fatalf")
		f.checks = append(f.checks, f.open)
	}
}

func (f *goFunction) tests(class string) []toyTest {
	var tests []toyTest
	failed := make(map[toyKey]string)
	check := func(code toyCode, c goCase, row map[string]string) string {
		got, want := value(code, row, c.call), value(code, row, c.want)
		if (got != want) != (c.op == "!=") {
			return ""
		}
		if c.quiet {
			return fmt.Sprintf("    %s:%d: quiet", path.Base(f.file), c.line)
		}
		return fmt.Sprintf("    %s:%d: %s = %q, want %q", path.Base(f.file), c.line, c.call, got, want)
	}
	for n, row := range f.rows {
		if !f.subtests {
			break
		}
		tests = append(tests, toyTest{class: class, name: f.name + "/" + testid.GoSubtest(row["tc.name"]), run: func(code toyCode) (string, string) {
			for _, c := range f.checks {
				if why := check(code, c, row); c.tableRow && why != "" {
					failed[toyKey{f.name, n}] = why
					return "Failed", why
				}
			}
			return "", ""
		}})
	}
	return append(tests, toyTest{class: class, name: f.name, run: func(code toyCode) (string, string) {
		var said []string
		for _, c := range f.checks {
			rows := f.rows
			if !c.tableRow {
				rows = []map[string]string{nil}
			}
			for n, row := range rows {
				if c.tableRow && f.subtests {
					if failed[toyKey{f.name, n}] != "" {
						said = append(said, "    --- FAIL: "+f.name+"/"+testid.GoSubtest(row["tc.name"]))
					}
					continue
				}
				if why := check(code, c, row); why != "" {
					said = append(said, why)
					if c.fatal {
						return "Failed", strings.Join(said, "\n")
					}
				}
			}
		}
		if len(said) == 0 {
			return "", ""
		}
		return "Failed", strings.Join(said, "\n")
	}})
}

type toyKey struct {
	name string
	row  int
}

var (
	jsTest  = regexp.MustCompile(`^test\('(.+)', \(?t\)? => \{$`)
	jsCheck = regexp.MustCompile(`^t\.(equal|notEqual)\((.+), (.+)\)$`)
)

// jsTests reads test('title', t => { ... }) with checks for equality.
func jsTests(name, src string) []toyTest {
	var tests []toyTest
	lines := strings.Split(src, "\n")
	for i := 0; i < len(lines); i++ {
		m := jsTest.FindStringSubmatch(lines[i])
		if m == nil {
			continue
		}
		first := i + 1
		var body []string
		for i++; lines[i] != "})"; i++ {
			body = append(body, strings.TrimSpace(lines[i]))
		}
		tests = append(tests, toyTest{class: "suite", name: m[1], run: func(code toyCode) (string, string) {
			for n, line := range body {
				m := jsCheck.FindStringSubmatch(line)
				if m == nil {
					continue
				}
				got, want := value(code, nil, m[2]), value(code, nil, m[3])
				if (got == want) != (m[1] == "equal") {
					return "should be " + m[1], fmt.Sprintf("  operator: %s\n  expected: '%s'\n  actual:   '%s'\n  at: Test.<anonymous> (/work/%s:%d:7)", m[1], want, got, name, first+n+1)
				}
			}
			return "", ""
		}})
	}
	return tests
}
