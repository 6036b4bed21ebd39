package steering

import "testing"

// What a suite writes beside its tests is no alarm; what could be read in the place of a test
// or of its runner is one.
func TestWritten(t *testing.T) {
	const was, new = true, false
	guard := func(language string) *Guard {
		g, err := New(Rules{Language: language, Command: "run tests", Tests: []string{"tests/test_a.py", "pkg/a_test.go", "test/a.test.js"}, Reports: []string{"report.xml"}, Protected: []string{"fixed/**"}, Reference: []string{"setup.cfg"},
			Has: func(name string) bool {
				return name == "pkg" || name == "pkg/testdata" || name == "tests" || name == "test"
			}})
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	for _, tt := range []struct {
		language, name string
		had, counts    bool
	}{
		{"python", "tests/test_a.py", was, true},
		{"python", "tests/test_b.py", was, true},
		{"python", "tests/data/in.txt", was, true},
		{"python", "tests/data/out.txt", new, false},
		{"python", "tests/test_tmp_1.py", new, false},
		{"python", "conftest.py", was, true},
		{"python", "conftest.py", new, true},
		{"python", "tests/sub/conftest.py", new, true},
		{"python", "sitecustomize.py", new, true},
		{"python", "a.pth", new, true},
		{"python", "random.py", new, true},
		{"python", "pytest/__init__.py", new, true},
		{"python", "pytest.ini", new, true},
		{"python", "setup.cfg", was, true},
		{"python", "setup.cfg", new, false},
		{"python", "tests/__pycache__/test_a.cpython-312.pyc", was, false},
		{"python", ".pytest_cache/v/cache/lastfailed", was, false},
		{"python", ".coverage", was, false},
		{"python", "report.xml", was, false},
		{"python", "pkg.egg-info/SOURCES.txt", was, false},
		{"python", "pkg/code.py", was, false},
		{"python", "build/lib/pkg/code.py", was, false},
		{"python", "docs/out.html", new, false},
		{"python", ".venv/lib/python3.12/site-packages/pytest/__init__.py", was, true},
		{"python", ".venv/lib/python3.12/site-packages/x.pth", new, true},
		{"python", ".venv/lib/python3.12/site-packages/attr.py", new, true},
		{"python", ".venv/lib/python3.12/site-packages/attr/__init__.py", new, true},
		{"python", ".venv/lib/python3.12/site-packages/pkg-1.dist-info/RECORD", new, false},
		{"python", ".venv/lib/python3.12/site-packages/pytest/__pycache__/x.pyc", was, false},
		{"python", "fixed/a", was, true},
		{"python", "fixed/b", new, false},
		{"go", "pkg/a_test.go", was, true},
		{"go", "pkg/b_test.go", new, false},
		{"go", "pkg/testdata/golden", was, true},
		{"go", "pkg/testdata/fuzz/FuzzA/0123", new, false},
		{"go", "go.mod", was, true},
		{"go", "go.work", new, true},
		{"go", "vendor/x/x.go", was, true},
		{"go", "vendor/x/y.go", new, false},
		{"go", "pkg/pkg.test", new, false},
		{"javascript", "test/a.test.js", was, true},
		{"javascript", "test/__snapshots__/a.snap", new, false},
		{"javascript", "test/__snapshots__/a.snap", was, true},
		{"javascript", "test/tmp-123/out.js", new, false},
		{"javascript", ".tap/processinfo/0123.json", new, false},
		{"javascript", "jest.config.js", new, true},
		{"javascript", ".nyc_output/0123.json", new, false},
		{"javascript", "coverage/lcov.info", was, false},
		{"javascript", "dist/a.js", was, false},
		{"javascript", "node_modules/.cache/x", was, false},
		{"javascript", "node_modules/.vite/deps/a.js", new, false},
		{"javascript", "node_modules/.package-lock.json", new, false},
		{"javascript", "node_modules/fixture/index.js", new, true},
		{"javascript", "node_modules/tape/index.js", was, true},
		{"javascript", "node_modules/tape/node_modules/deep-equal/index.js", new, true},
		{"javascript", "node_modules/tape/lib/test", new, true},
		{"javascript", "node_modules/@scope/tape/cache/test", new, false},
		{"java", "target/surefire/surefirebooter123.jar", new, false},
		{"java", "pom.xml", was, true},
	} {
		if _, counts := guard(tt.language).Written(tt.name, tt.had); counts != tt.counts {
			t.Errorf("%s: %s, was there %t: counts %t", tt.language, tt.name, tt.had, counts)
		}
	}
}

func TestWrittenOutside(t *testing.T) {
	const was, new = true, false
	for _, tt := range []struct {
		name        string
		had, counts bool
	}{
		{"/usr/bin/python3", was, true},
		{"/usr/local/bin/go", new, true},
		{"/usr/local/go/src/testing/testing.go", was, true},
		{"/usr/local/lib/python3.12/unittest/case.py", was, true},
		{"/usr/local/lib/python3.12/site-packages/pytest/__init__.py", was, true},
		{"/usr/local/lib/python3.12/site-packages/z.pth", new, true},
		{"/usr/local/lib/python3.12/sitecustomize.py", new, true},
		{"/usr/local/lib/python3.12/__pycache__/ast.cpython-312.pyc", was, false},
		{"/opt/miniconda3/envs/testbed/lib/python3.9/site-packages/_pytest/runner.py", was, true},
		{"/opt/miniconda3/envs/testbed/lib/python3.9/site-packages/numpy/core/__pycache__/a.pyc", new, false},
		{"/opt/miniconda3/envs/testbed/conda-meta/history", new, false},
		{"/root/.nvm/versions/node/v20/bin/node", was, true},
		{"/root/.nvm/versions/node/v20/lib/node_modules/npm/index.js", was, true},
		{"/root/.pyenv/versions/3.9/lib/python3.9/ast.py", was, true},
		{"/root/go/pkg/mod/example.org/a@v1/a.go", was, true},
		{"/root/go/pkg/mod/cache/lock", was, false},
		{"/go/pkg/mod/cache/download/a.lock", new, false},
		{"/root/.cache/go-build/00/0123-a", was, false},
		{"/root/.gitconfig", was, false},
		{"/root/.m2/repository/junit/junit.jar", was, true},
		{"/root/.rustup/toolchains/stable/lib/libstd.so", was, true},
		{"/root/.rbenv/versions/3.3/lib/ruby/3.3.0/set.rb", was, true},
		{"/root/.cargo/.package-cache", was, false},
		{"/usr/local/cargo/.global-cache", was, false},
		{"/usr/local/cargo/registry/src/index/a/lib.rs", was, true},
		{"/root/.npmrc", new, false},
		{"/root/.config/configstore/x.json", was, false},
		{"/root/.m2/repository/x/_remote.repositories", was, false},
		{"/etc/passwd", was, true},
		{"/etc/ld.so.preload", new, true},
		{"/etc/ld.so.cache", was, false},
		{"/tmp/x", was, false},
		{"/tmp/site-packages/x/__init__.py", new, false},
		{"/var/log/dpkg.log", was, false},
		{"/run/assay/home/.cache/x", new, false},
		{"/usr/share/made", new, false},
		{"/data/out", was, false},
		{"/x", new, false},
	} {
		if counts := WrittenOutside(tt.name, tt.had); counts != tt.counts {
			t.Errorf("%s, was there %t: counts %t", tt.name, tt.had, counts)
		}
	}
}
