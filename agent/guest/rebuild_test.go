package guest

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Build tools take a product that is newer than its source for up to date. Patches
// carry no times: a patched source must be newer than what was built before.
func TestBuildsSeeWhatWasPatched(t *testing.T) {
	const python = "/usr/bin/python3" // the system's, which has setuptools and wheel
	for name, tt := range map[string]struct {
		files map[string]string
		patch []string // for timedLayer
		build []string
		show  []string
	}{
		"make": {
			files: map[string]string{
				"main.c":   "#include <stdio.h>\n#include \"text.h\"\nint main(void) { puts(TEXT); return 0; }\n",
				"text.h":   "#define TEXT \"before\"\n",
				"Makefile": "main: main.c text.h\n\tgcc -o main main.c\n",
			},
			patch: []string{"text.h@0=#define TEXT \"patched\"\n"},
			build: []string{"make"},
			show:  []string{"./main"},
		},
		"cargo": {
			files: map[string]string{
				"Cargo.toml":  "[package]\nname = \"shown\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
				"src/main.rs": "mod text;\nfn main() { println!(\"{}\", text::TEXT); }\n",
				"src/text.rs": "pub const TEXT: &str = \"before\";\n",
			},
			patch: []string{"src/text.rs@0=pub const TEXT: &str = \"patched\";\n"},
			build: []string{"cargo", "build", "--offline", "--quiet"},
			show:  []string{"target/debug/shown"},
		},
		"pip": {
			files: map[string]string{
				"setup.py":          "from setuptools import setup\nsetup(name='shown', version='1', packages=['shown'])\n",
				"shown/__init__.py": "TEXT = 'before'\n",
			},
			patch: []string{"shown/__init__.py@0=TEXT = 'patched'\n"},
			build: []string{python, "-m", "pip", "install", "--quiet", "--no-build-isolation", "--no-deps", "--no-index", "--upgrade", "--target", "installed", "."},
			show:  []string{python, "-c", "import sys; sys.path.insert(0, 'installed'); import shown; print(shown.TEXT)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			run := func(argv []string) string {
				t.Helper()
				cmd := exec.Command(argv[0], argv[1:]...)
				cmd.Dir = root
				cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_ROOT_USER_ACTION=ignore", "CARGO_TARGET_DIR=target", "MAKEFLAGS=")
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Fatalf("%q: %v\n%s", argv, err, out)
				}
				return string(out)
			}
			for name, content := range tt.files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			var times clock
			for _, step := range []struct {
				patch []string
				want  string
			}{{nil, "before\n"}, {tt.patch, "patched\n"}} {
				if step.patch != nil {
					lay(t, root, &times, step.patch...)
					times.pass()
				}
				run(tt.build)
				if got := run(tt.show); got != step.want {
					t.Errorf("shown %q, want %q", got, step.want)
				}
			}
		})
	}
}
