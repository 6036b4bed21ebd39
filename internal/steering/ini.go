package steering

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// iniPart is what setup.cfg and tox.ini say to test runners: the sections of pytest, of coverage
// and of the tools that the verifier calls, and the entry points of pytest.
//
// Two parsers read these files, configparser and iniconfig, and they do not agree: on
// headers that are indented, on what ends a line. So a line belongs here to every
// section that it could belong to, and the lines are taken both ways.
func (g *Guard) iniPart(data []byte) (part, error) {
	said := map[string]*strings.Builder{}
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	g.iniLines(said, strings.Split(text, "\n"))
	if strings.ContainsFunc(text, pythonBreak) {
		g.iniLines(said, strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || pythonBreak(r) }))
	}
	p := part{}
	for place, lines := range said {
		p[place] = lines.String()
	}
	return p, nil
}

// pythonBreak tells whether str.splitlines ends a line here, where a file does not.
func pythonBreak(r rune) bool {
	return r == '\v' || r == '\f' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

// pythonSpace is what str.strip takes away.
func pythonSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func (g *Guard) iniLines(said map[string]*strings.Builder, lines []string) {
	sections := []string{""} // that the line may belong to
	key := ""
	for _, raw := range lines {
		line := strings.TrimFunc(raw, pythonSpace)
		if line == "" || line[0] == '#' || line[0] == ';' {
			continue
		}
		if line[0] == '[' {
			name := strings.ToLower(strings.Trim(line, "[] \t"))
			if raw[0] == '[' && strings.HasSuffix(line, "]") && strings.Count(line, "]") == 1 { // both take it for a header
				sections, key = sections[:0], ""
			}
			if len(sections) < maxSections {
				sections = append(sections, name)
			} else {
				sections[0] = allSections
			}
			if len(sections) == 1 {
				g.addIni(said, name, "", "the section")
				continue
			}
		}
		if first, _ := utf8.DecodeRuneInString(raw); !pythonSpace(first) {
			key, _, _ = strings.Cut(line, "=")
			key = strings.ToLower(strings.TrimFunc(key, pythonSpace))
		}
		for _, section := range sections {
			g.addIni(said, section, key, strings.TrimRightFunc(raw, pythonSpace))
		}
	}
}

// maxSections bounds the sections that a line may belong to; beyond them, it belongs to all.
const (
	maxSections = 8
	allSections = "pytest, and others"
)

// addIni adds a line to what its section and key say, if they steer.
func (g *Guard) addIni(said map[string]*strings.Builder, section, key, line string) {
	steers := strings.Contains(section, "pytest") || strings.HasPrefix(section, "coverage") || section == "default" || section == ""
	for _, name := range append([]string{"aliases", "test", "unittest", "nosetests"}, g.tools.sections...) {
		steers = steers || section == name || strings.HasPrefix(section, name+":") || strings.HasPrefix(section, name+".") || strings.HasPrefix(section, name+"-")
	}
	switch {
	case section == "options":
		steers = strings.HasPrefix(key, "entry_points")
	case strings.HasPrefix(section, "options.entry_points"):
		name, _, _ := strings.Cut(strings.TrimFunc(line, pythonSpace), "=")
		steers = strings.Contains(key, "pytest") || runners[strings.ToLower(strings.TrimSpace(name))]
	}
	if steers {
		place := "[" + section + "] " + key
		if said[place] == nil {
			said[place] = &strings.Builder{}
		}
		said[place].WriteString(line + "\n")
	}
}

// runners are the programs that run tests of Python; a package that installs one by
// such a name takes its place.
var runners = map[string]bool{
	"pytest": true, "py.test": true, "coverage": true, "python": true, "python3": true, "tox": true, "nox": true,
	"nosetests": true, "nose2": true, "trial": true, "unittest": true, "make": true, "git": true, "bash": true, "sh": true,
}
