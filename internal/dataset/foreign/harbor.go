package foreign

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"go.yaml.in/yaml/v3"

	"assay"
)

// harborName is the format of task folders of Harbor, which Terminal-Bench 2 has.
const harborName = "harbor"

// harborTask is what of task.toml matters here. Keys that are not known are ignored,
// as Harbor ignores them.
//
// https://www.harborframework.com/docs/tasks
type harborTask struct {
	Task struct {
		Description string `toml:"description"`
	} `toml:"task"`
	Metadata struct {
		Language string `toml:"language"`
	} `toml:"metadata"`
	Verifier struct {
		TimeoutSec float64           `toml:"timeout_sec"`
		Env        map[string]string `toml:"env"`
		Mode       string            `toml:"environment_mode"`
	} `toml:"verifier"`
	Environment struct {
		DockerImage   string            `toml:"docker_image"`
		Workdir       string            `toml:"workdir"`
		CPUs          float64           `toml:"cpus"`
		MemoryMB      int64             `toml:"memory_mb"`
		StorageMB     int64             `toml:"storage_mb"`
		Memory        string            `toml:"memory"`  // as "2G"; before version 1.0
		Storage       string            `toml:"storage"` // as "10G"
		Env           map[string]string `toml:"env"`
		AllowInternet *bool             `toml:"allow_internet"`
		NetworkMode   string            `toml:"network_mode"`
	} `toml:"environment"`
	Steps []map[string]any `toml:"steps"`
}

// harborTimeout is the verifier's where a task names none, in seconds.
const harborTimeout = 600

// convertHarbor reads a task folder of Harbor. Its tests are not in the image: they are
// laid by the verifier's command, which is Harbor's own: test.sh writes the reward.
// The reference fix is a script, and no patch.
func convertHarbor(dir fs.FS, name string, c *columns, o Options) *assay.Sample {
	var task harborTask
	if text := readText(dir, "task.toml", c); text != "" {
		if _, err := toml.Decode(text, &task); err != nil {
			c.fault("task.toml", "%v", err)
		}
	}
	s := folderSample(name, readText(dir, "instruction.md", c), o)
	s.Description = task.Task.Description
	t := &s.Task
	if t.Image = task.Environment.DockerImage; t.Image == "" {
		t.Image = "harbor/" + strings.ToLower(name) + ":latest"
	}
	if t.Workdir = task.Environment.Workdir; t.Workdir == "" {
		t.Workdir = dockerfileWorkdir(dir, "environment/Dockerfile")
	}
	if t.Language == "" {
		t.Language = orBash(task.Metadata.Language)
	}
	harborLimits(t, &task, c)
	t.Env = task.Environment.Env
	needsNothing(t.Env, "its sandbox", c)
	v := &t.Verifier
	v.TimeoutSeconds = wholeSeconds(task.Verifier.TimeoutSec, harborTimeout)
	v.Reports = []assay.ReportSpec{{Path: "/logs/verifier/reward.txt", Format: reward}}
	unpack := packFolder(dir, "tests", "test.sh", nil, c)
	v.Command = unpack + exports(task.Verifier.Env, c) + "rm -rf /logs/verifier && mkdir -p /logs/verifier || exit 125\nbash /tests/test.sh\n"
	switch {
	case len(task.Steps) > 0:
		c.cannotJudge("it has several steps, each with its own verdict")
	case task.Verifier.Mode == "separate":
		c.cannotJudge("its verifier runs in an image of its own")
	case severalServices(dir, "environment/docker-compose.yaml"):
		c.cannotJudge("it takes several containers")
	}
	return s
}

// folderSample is the sample of a task folder, whose tests decide by a reward.
func folderSample(name, problem string, o Options) *assay.Sample {
	s := &assay.Sample{
		Dataset:          o.Dataset,
		ID:               name,
		ProblemStatement: problem,
		FailToPass:       []string{},
		PassToPass:       []string{},
		FailToFail:       []string{},
		Task:             newTask(),
	}
	s.Task.Language = o.Language
	s.Task.Verifier.Kind = assay.VerifierCustom
	s.Task.Verifier.User, s.Task.Verifier.ExitCode = assay.UserRoot, assay.ExitIgnored
	return s
}

// orBash is the language of a task: what is done on a terminal, where none is named.
func orBash(language string) string {
	if language == "" {
		return "bash"
	}
	return language
}

func harborLimits(t *assay.Task, task *harborTask, c *columns) {
	e := &task.Environment
	t.Resources = assay.Resources{CPUs: e.CPUs, MemoryMB: e.MemoryMB, DiskMB: e.StorageMB}
	for _, size := range []struct {
		key, text string
		to        *int64
	}{
		{"environment.memory", e.Memory, &t.Resources.MemoryMB},
		{"environment.storage", e.Storage, &t.Resources.DiskMB},
	} {
		if *size.to != 0 || size.text == "" {
			continue
		}
		n, err := megabytes(size.text)
		if err != nil {
			c.fault("task.toml", "%s: %v", size.key, err)
		}
		*size.to = n
	}
	c.network = e.NetworkMode != "no-network" && (e.AllowInternet == nil || *e.AllowInternet)
}

// megabytes reads a size such as 512M or 4G, in MiB.
func megabytes(text string) (int64, error) {
	units := map[byte]float64{'K': 1.0 / 1024, 'M': 1, 'G': 1024, 'T': 1 << 20}
	number := strings.TrimRight(strings.ToUpper(strings.TrimSpace(text)), "IB")
	if number == "" || units[number[len(number)-1]] == 0 {
		return 0, fmt.Errorf("%q is not a size such as 512M or 4G", text)
	}
	n, err := strconv.ParseFloat(number[:len(number)-1], 64)
	if n *= units[number[len(number)-1]]; err != nil || !(n > 0 && n < 1<<40) {
		return 0, fmt.Errorf("%q is not a size such as 512M or 4G", text)
	}
	return int64(math.Ceil(n)), nil
}

// wholeSeconds rounds a timeout up.
func wholeSeconds(s float64, otherwise int) int {
	if !(s > 0 && s < math.MaxInt32) {
		return otherwise
	}
	return int(math.Ceil(s))
}

// maxTaskFile and maxTaskFiles bound what of a task folder is read.
const (
	maxTaskFile  = 8 << 20
	maxTaskFiles = 1000
)

// readText reads a file of a task folder that must be there.
func readText(dir fs.FS, name string, c *columns) string {
	text, err := readBounded(dir, name)
	switch {
	case err != nil:
		c.fault(name, "%v", err)
	case len(bytes.TrimSpace(text)) == 0:
		c.fault(name, "is empty")
	}
	return string(text)
}

// readBounded reads a regular file of at most maxTaskFile bytes.
func readBounded(dir fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(dir, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fs.ErrNotExist
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case info.Size() > maxTaskFile:
		return nil, fmt.Errorf("has %d bytes; at most %d are read", info.Size(), maxTaskFile)
	}
	return fs.ReadFile(dir, name)
}

// packFolder returns the shell lines that lay a folder of tests below /tests, with
// others by the names that they have there. The folder must have the file entry,
// unless it is among the others.
func packFolder(dir fs.FS, folder, entry string, others map[string]string, c *columns) string {
	files := map[string][]byte{}
	err := fs.WalkDir(dir, folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if len(files) >= maxTaskFiles {
			return fmt.Errorf("there are more than %d files", maxTaskFiles)
		}
		text, err := readBounded(dir, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		files[strings.TrimPrefix(name, folder+"/")] = text
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		c.fault(folder, "%v", err)
	}
	for as, name := range others {
		text, err := readBounded(dir, name)
		if err != nil {
			c.fault(name, "%v", err)
		}
		files[as] = text
	}
	if _, ok := files[entry]; !ok {
		c.fault(path.Join(folder, entry), "%v", fs.ErrNotExist)
	}
	unpack, err := unpackTo("/tests", files)
	if err != nil {
		c.cannotJudge("its tests: %v", err)
	}
	return unpack
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// needsNothing refuses variables that stand for variables of the host: they are
// secrets, such as the key of a model that judges, and Assay has none to give.
func needsNothing(env map[string]string, who string, c *columns) {
	for _, name := range sortedKeys(env) {
		if strings.Contains(env[name], "${") {
			c.cannotJudge("%s needs %s of the host", who, env[name])
		}
	}
}

// exports sets the variables of a verifier, in shell.
func exports(env map[string]string, c *columns) string {
	needsNothing(env, "its verifier", c)
	var b strings.Builder
	for _, name := range sortedKeys(env) {
		if !variable.MatchString(name) {
			c.fault("task.toml", "verifier.env: %q is no name of a variable", name)
		}
		fmt.Fprintf(&b, "export %s=%s\n", name, quoteShell(env[name]))
	}
	return b.String()
}

// severalServices tells whether a task takes more than the one container, by its file
// for docker compose, if it has one.
func severalServices(dir fs.FS, name string) bool {
	var compose struct {
		Services map[string]any `yaml:"services"`
	}
	text, err := readBounded(dir, name)
	return err == nil && yaml.Unmarshal(text, &compose) == nil && len(compose.Services) > 1
}

var workdirLine = regexp.MustCompile(`(?im)^\s*WORKDIR\s+"?(/[^\s"]*)`)

// dockerfileWorkdir returns the last absolute WORKDIR of a Dockerfile, or /app: Assay
// judges one folder, and tasks are about the one that commands start in.
func dockerfileWorkdir(dir fs.FS, name string) string {
	text, _ := readBounded(dir, name) // without one, the image is named, and so is the default
	workdir := "/app"
	for _, m := range workdirLine.FindAllSubmatch(text, -1) {
		if p := path.Clean(string(m[1])); p != "/" && !strings.Contains(p, "$") {
			workdir = p
		}
	}
	return workdir
}
