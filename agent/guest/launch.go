package guest

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/sandbox"
)

// launcher forks commands. Its caller serialises launch.
type launcher struct {
	workdir string
	env     map[string]string
	environ []string // env as execve takes it
	null    *os.File // standard input; opened before anybody could replace /dev/null
	marks   *marks
	stat    func(path string) (mode uint32, err error)
}

func newLauncher(cfg agent.Config) (launcher, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return launcher{}, err
	}
	marks, err := newMarks()
	if err != nil {
		return launcher{}, err
	}
	return launcher{
		workdir: cfg.Workdir,
		env:     cfg.Env,
		environ: environ(cfg.Env),
		null:    null,
		marks:   marks,
		stat:    statMode,
	}, nil
}

// child is a process that was started, with the reading ends of its outputs.
type child struct {
	pid            int
	mark           mark
	stdout, stderr *os.File
}

// launch starts spec as the leader of a session, and so of a process group, of
// its own. The error is a *refusal when the command cannot be executed.
func (l *launcher) launch(spec sandbox.Command) (child, error) {
	env, vars := l.environ, l.env
	if len(spec.Env) > 0 || len(spec.EnvDefaults) > 0 {
		vars = make(map[string]string)
		for _, set := range []map[string]string{spec.EnvDefaults, l.env, spec.Env} { // the last one has the last word
			maps.Copy(vars, set)
		}
		env = environ(vars)
	}
	dir := l.workdir
	if filepath.IsAbs(spec.Dir) {
		dir = spec.Dir
	} else if spec.Dir != "" {
		dir = filepath.Join(dir, spec.Dir)
	}
	if err := l.checkDir(dir); err != nil {
		return child{}, err
	}
	path, err := l.lookPath(spec.Argv[0], dir, vars["PATH"])
	if err != nil {
		return child{}, err
	}
	return l.fork(path, spec.Argv, dir, env, spec.UID)
}

// fork makes the pipes and the process.
func (l *launcher) fork(path string, argv []string, dir string, env []string, uid uint32) (child, error) {
	stdout, err := newPipe()
	if err != nil {
		return child{}, err
	}
	defer unix.Close(stdout.w)
	stderr, err := newPipe()
	if err != nil {
		stdout.r.Close()
		return child{}, err
	}
	defer unix.Close(stderr.w)
	sys := &syscall.SysProcAttr{Setsid: true}
	if uid != 0 {
		sys.Credential = &syscall.Credential{Uid: uid, Gid: uid}
	}
	m, pid, err := l.spawn(path, argv, &syscall.ProcAttr{
		Dir:   dir,
		Env:   env,
		Files: []uintptr{l.null.Fd(), uintptr(stdout.w), uintptr(stderr.w)},
		Sys:   sys,
	})
	if err != nil {
		stdout.r.Close()
		stderr.r.Close()
		return child{}, err
	}
	return child{pid: pid, mark: m, stdout: stdout.r, stderr: stderr.r}, nil
}

// spawn makes the process.
func (l *launcher) spawn(path string, argv []string, attr *syscall.ProcAttr) (mark, int, error) {
	m, err := l.marks.next()
	if err != nil {
		return 0, 0, err
	}
	pid, err := syscall.ForkExec(path, argv, attr)
	if err != nil {
		return 0, 0, forkError(argv[0], err)
	}
	exposeToOOM(int(l.marks.proc.Fd()), pid)
	return m, pid, nil
}

// pipe is one output: a reading end that is polled if the kernel lets it, a writing end
// that blocks.
type pipe struct {
	r *os.File
	w int
}

func newPipe() (pipe, error) {
	var p [2]int
	err := unix.Pipe2(p[:], unix.O_CLOEXEC)
	if err != nil { // out of descriptors or memory
		return pipe{}, fmt.Errorf("%w: make pipe: %w", sandbox.ErrNotStarted, err)
	}
	if err := unix.SetNonblock(p[0], true); err != nil {
		unix.Close(p[0])
		unix.Close(p[1])
		return pipe{}, fmt.Errorf("make pipe: %w", err)
	}
	return pipe{os.NewFile(uintptr(p[0]), "output"), p[1]}, nil
}

// refusal is a command that could not be executed: its own end, not our fault.
type refusal struct {
	code    int // as bash: 127 not found, 126 found but not executable
	message string
}

func (r *refusal) Error() string { return r.message }

// result is the end of the command, which says on standard error why.
func (r *refusal) result(started time.Time) sandbox.Result {
	text := []byte("assay: " + r.message + "\n")
	return sandbox.Result{
		Exit:    sandbox.ExitStatus{Code: r.code},
		Stderr:  sandbox.Output{Head: text, Total: int64(len(text))},
		Started: started,
	}
}

// errText is the message of an errno with a capital, as the C library has it.
func errText(errno syscall.Errno) string {
	s := errno.Error()
	return strings.ToUpper(s[:1]) + s[1:]
}

// checkDir refuses a working directory that is none.
func (l *launcher) checkDir(dir string) error {
	mode, err := l.stat(dir)
	if err == nil && mode&unix.S_IFMT != unix.S_IFDIR {
		err = unix.ENOTDIR
	}
	if errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) {
		return fmt.Errorf("%w: look at %.200s: %w", sandbox.ErrNotStarted, dir, err)
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return &refusal{126, fmt.Sprintf("cd: %s: %s", dir, errText(errno))}
	}
	return err
}

// defaultPath is searched when the environment has no PATH.
const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// statMode is the mode of what is at a path.
func statMode(path string) (mode uint32, err error) {
	var st unix.Stat_t
	err = unix.Stat(path, &st)
	return st.Mode, err
}

// lookPath finds a program as execvp(3) does, relative names starting at dir. Only what is
// nowhere is not found: where the kernel does not tell, nothing is said of the command.
func (l *launcher) lookPath(name, dir, path string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	if path == "" {
		path = defaultPath
	}
	var found string
	var unknown error // whether there is one somewhere
	for _, d := range filepath.SplitList(path) {
		candidate := filepath.Join(d, name)
		if !filepath.IsAbs(candidate) {
			candidate = filepath.Join(dir, candidate)
		}
		switch mode, err := l.stat(candidate); {
		case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR):
		case err != nil:
			unknown = cmp.Or(unknown, fmt.Errorf("look for %.200s: %w", candidate, err))
		case mode&unix.S_IFMT != unix.S_IFREG:
		case mode&0o111 != 0:
			return candidate, nil
		case found == "":
			found = candidate
		}
	}
	switch {
	case unknown != nil:
		return "", fmt.Errorf("%w: %w", sandbox.ErrNotStarted, unknown)
	case found != "":
		return "", &refusal{126, fmt.Sprintf("%s: %s", found, errText(unix.EACCES))}
	}
	return "", &refusal{127, name + ": command not found"}
}

// forkError tells what execve said of the command from what keeps us from forking.
func forkError(name string, err error) error {
	errno, ok := errors.AsType[syscall.Errno](err)
	switch {
	case !ok:
		return fmt.Errorf("start command: %w", err)
	case errno == unix.EINVAL:
		return invalid("start command: an argument or variable has a NUL byte")
	case errno == unix.EAGAIN || errno == unix.ENOMEM || errno == unix.EMFILE || errno == unix.ENFILE:
		return fmt.Errorf("%w: the sandbox has no room for another process: %w", sandbox.ErrNotStarted, err)
	case errno == unix.ENOENT:
		return &refusal{127, fmt.Sprintf("%.200s: %s", name, errText(errno))}
	}
	return &refusal{126, fmt.Sprintf("%.200s: %s", name, errText(errno))}
}

func environ(vars map[string]string) []string {
	env := make([]string, 0, len(vars))
	for _, k := range slices.Sorted(maps.Keys(vars)) {
		env = append(env, k+"="+vars[k])
	}
	return env
}
