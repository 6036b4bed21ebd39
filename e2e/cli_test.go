package e2e_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestCommandLine runs the scripts of testdata/script against the shared server.
// Beside testscript's own commands they know
//
//	ends STATUS PROGRAM...   runs a program that must end with this exit status
//	keep NAME                keeps what the last program wrote in a variable
func TestCommandLine(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", world.bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("ASSAY_DATA_DIR", world.shared.DataDir)
			env.Setenv("ASSAY_SERVER", world.server.URL)
			env.Setenv("USER_NAME", "Script"+strconv.FormatInt(world.users.Add(1), 10))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"ends": ends, "keep": keep},
	})
}

// ends runs a program and checks its exit status.
func ends(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: ends STATUS PROGRAM...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(ts, args[1]), args[2:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "ASSAY_DATA_DIR", "ASSAY_SERVER", "ASSAY_API_KEY"} {
		if v := ts.Getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		ts.Fatalf("%v", err)
	}
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("%s ended with status %d, not %d", strings.Join(args[1:], " "), got, want)
	}
}

// program finds a program in the script's PATH.
func program(ts *testscript.TestScript, name string) string {
	if name != "assay" {
		path, err := exec.LookPath(name)
		ts.Check(err)
		return path
	}
	return world.bin + "/assay"
}

// keep keeps the last standard output in a variable.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: keep NAME")
	}
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}
