package steering

import (
	"path"
	"slices"
	"strings"
)

// Written tells whether what was written to a path of the work tree while its suite ran could
// decide of what the suite said afterwards, as a clause: a test that is run later, or that the
// runner reads again, is another one then. had says that something was there before.
//
// Suites write a lot: caches, coverage, builds, snapshots, files beside their tests. Of what
// was there, tests and what steers a runner count, and installed packages; of what is new,
// only what a runner reads for its name alone, or what comes before an installed module.
func (g *Guard) Written(name string, had bool) (why string, counts bool) {
	ruling := g.Rule(name)
	p := split(name)
	switch {
	case ruling.Kind != KindTest && ruling.Kind != KindSteering:
		return "", false
	case had:
		return "", true
	case ruling.Kind == KindTest || ruling.Fate == Compared:
		return "", false
	}
	if i := slices.IndexFunc(p.folded, isPackages); i >= 0 {
		return "", packaged(p.folded[i:])
	}
	if _, built := g.built(p, name); built {
		return "", false
	}
	if _, asked := g.protected.match(p); asked {
		return "", false
	}
	above := path.Dir(name)
	return ruling.Why, above == "." || g.Rule(above).Kind != KindSteering
}

func isPackages(dir string) bool {
	return dir == "site-packages" || dir == "dist-packages" || dir == "node_modules"
}

// scratch are directories in which packages, too, leave what they make.
var scratch = strings.Fields("build cache tmp temp log logs coverage reports")

// packaged tells whether something new among installed packages comes before what is
// there. Its path begins with the directory that holds them.
func packaged(parts []string) bool {
	dir, rest := parts[0], parts[1:]
	if len(rest) == 0 || slices.ContainsFunc(rest, func(part string) bool {
		return strings.HasPrefix(part, ".") || part == "__pycache__" || slices.Contains(scratch, part)
	}) {
		return false
	}
	base := rest[len(rest)-1]
	if strings.HasSuffix(base, ".pyc") {
		return false
	}
	if dir != "node_modules" { // modules, and what every Python reads that starts
		initial, extension, _ := strings.Cut(base, ".")
		return len(rest) == 1 && (importable(extension) || strings.HasSuffix(base, ".pth")) || len(rest) == 2 && initial == "__init__" && importable(extension)
	}
	if strings.HasPrefix(rest[0], "@") {
		rest = rest[1:]
	}
	return len(rest) > 1 // in a package: what is loaded from there may be it
}

// volatile are the places that every program may write to.
var volatile = strings.Fields("tmp run dev proc sys var mnt media")

// system are the places of an image that hold what runs, and never what a suite makes.
var system = strings.Fields("bin sbin lib lib32 lib64 libexec usr opt etc go")

// toolchain are directories of what was installed into a home.
var toolchain = strings.Fields("lib lib64 versions toolchains envs")

// WrittenOutside is Guard.Written for a path outside of the work tree, absolute and clean:
// what counts is the code and the settings of the image's own programs.
func WrittenOutside(name string, had bool) bool {
	p := split(strings.TrimPrefix(name, "/"))
	parts := p.folded
	base := parts[len(parts)-1]
	if slices.Contains(volatile, parts[0]) || isCache(parts) {
		return false
	}
	if i := slices.IndexFunc(parts, isPackages); i >= 0 {
		return had || packaged(parts[i:])
	}
	inBin := len(parts) > 1 && (parts[len(parts)-2] == "bin" || parts[len(parts)-2] == "sbin")
	hidden := slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, ".") })
	inSystem := slices.Contains(system, parts[0])
	isHome := parts[0] == "root" || parts[0] == "home"
	code := strings.HasSuffix(base, ".jar") || slices.ContainsFunc(parts, func(part string) bool {
		return strings.HasPrefix(part, "python") || slices.Contains(toolchain, part)
	})
	switch {
	case inBin:
		return inSystem || isHome
	case !had:
		steers := slices.Contains([]string{"sitecustomize.py", "usercustomize.py"}, base) || strings.HasSuffix(base, ".pth")
		return name == "/etc/ld.so.preload" || steers && (inSystem || isHome)
	case inSystem:
		return !strings.HasPrefix(base, ".") && !strings.HasSuffix(base, ".log") && !strings.HasSuffix(base, ".lock")
	case isHome:
		return code || !hidden && slices.Contains(parts, "go")
	}
	return false
}

// isCache tells whether a path is of what tools make for themselves, and that nobody reads
// but they.
func isCache(parts []string) bool {
	for i, part := range parts {
		switch part {
		case "__pycache__", ".cache", ".pytest_cache", ".hypothesis", ".npm", "_cacache", "go-build", ".mypy_cache":
			return true
		case "cache": // of Go's modules: locks, and what they were unpacked from
			if i > 1 && parts[i-1] == "mod" && parts[i-2] == "pkg" {
				return true
			}
		}
	}
	base := parts[len(parts)-1]
	return strings.HasSuffix(base, ".pyc") || base == "ld.so.cache" || base == "mtab" || base == ".pwd.lock"
}
