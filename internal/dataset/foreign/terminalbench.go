package foreign

import (
	"fmt"
	"io/fs"
	"strings"

	"go.yaml.in/yaml/v3"

	"assay"
)

// terminalBenchName is the format of task folders of Terminal-Bench 1.
const terminalBenchName = "terminal-bench"

// terminalBenchTask is what of task.yaml matters here.
//
// https://github.com/laude-institute/terminal-bench
type terminalBenchTask struct {
	Instruction string  `yaml:"instruction"`
	Parser      string  `yaml:"parser_name"`          // default: pytest
	TestTimeout float64 `yaml:"max_test_timeout_sec"` // default: 60
	SameShell   bool    `yaml:"run_tests_in_same_shell"`
}

// convertTerminalBench reads a task folder of Terminal-Bench 1. Its verdict is that
// pytest's summary names tests that passed and none that failed; we also ask for the
// exit code of run-tests.sh.
func convertTerminalBench(dir fs.FS, name string, c *columns, o Options) *assay.Sample {
	task := terminalBenchTask{Parser: "pytest"}
	if text := readText(dir, "task.yaml", c); text != "" {
		if err := yaml.Unmarshal([]byte(text), &task); err != nil {
			c.fault("task.yaml", "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		}
	}
	if strings.TrimSpace(task.Instruction) == "" {
		c.fault("task.yaml", "instruction is empty or not there")
	}
	s := folderSample(name, task.Instruction, o)
	t := &s.Task
	t.Image = "terminal-bench/" + strings.ToLower(name) + ":latest"
	t.Workdir = dockerfileWorkdir(dir, "Dockerfile")
	t.Language = orBash(t.Language)
	v := &t.Verifier
	v.TimeoutSeconds = wholeSeconds(task.TestTimeout, 60)
	v.Reports = []assay.ReportSpec{{Path: assay.ReportsPlaceholder + "/reward.txt", Format: reward}}
	unpack := packFolder(dir, "tests", "run-tests.sh", map[string]string{"run-tests.sh": "run-tests.sh"}, c)
	v.Command = unpack + runTests
	c.network = true
	switch {
	case task.Parser != "pytest":
		c.cannotJudge("its log is read by %q", task.Parser)
	case severalServices(dir, "docker-compose.yaml"):
		c.cannotJudge("it takes several containers")
	case task.SameShell:
		c.cannotJudge("its tests run in the shell that the agent used")
	}
	return s
}

// runTests turns the output of run-tests.sh into a reward.
var runTests = fmt.Sprintf(`log=$(mktemp) || exit 125
TEST_DIR=/tests bash /tests/run-tests.sh > "$log" 2>&1
code=$?
cat "$log"
if [ $code -eq 0 ] && grep -q '^PASSED ' "$log" && ! grep -qE '^(FAILED|ERROR) ' "$log"; then
  echo 1
else
  echo 0
fi > "$%s/reward.txt"
`, assay.EnvReports)
