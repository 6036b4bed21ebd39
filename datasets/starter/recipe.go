package starter

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Language names a registry, a test runner and a rule for telling tests from code.
type Language string

// The languages that recipes may be written for.
const (
	Go         Language = "go"         // the Go module proxy; checksums are h1 sums as in go.sum
	Python     Language = "python"     // sdists of PyPI; checksums are sha256:HEX
	JavaScript Language = "javascript" // npm; checksums are the registry's integrity, sha512-BASE64
)

// Recipe tells where the two versions of a package come from and what was wrong
// with the first.
type Recipe struct {
	InstanceID       string    `yaml:"instance_id"` // OWNER__NAME-FIXED_VERSION
	Language         Language  `yaml:"language"`
	Repo             string    `yaml:"repo"` // OWNER/NAME, for the reader; nothing is fetched from there
	Description      string    `yaml:"description"`
	CreatedAt        time.Time `yaml:"created_at"` // publication of Base; zero where the registry does not tell
	Package          string    `yaml:"package"`    // the registry's name
	Base             Release   `yaml:"base"`       // before the fix
	Fixed            Release   `yaml:"fixed"`      // with it
	ProblemStatement string    `yaml:"problem_statement"`
	HintsText        string    `yaml:"hints_text"`
	Verifier         *Verifier `yaml:"verifier"` // defaults to the language's

	// Env is added to the image's environment while tests run.
	Env map[string]string `yaml:"env"`

	Recorded Recorded `yaml:"-"` // from ID.tests.json; zero if nothing was recorded yet
	Lock     []byte   `yaml:"-"` // ID.package-lock.json; nil but for npm packages
}

// Release is one published version.
type Release struct {
	Version  string `yaml:"version"`
	Checksum string `yaml:"checksum"` // form: see Language
}

// Verifier is a command, run by bash in the work tree, and the reports it leaves.
type Verifier struct {
	Command string `yaml:"command" json:"command,omitempty"`

	// CommandFor is the same for some tests; docs/dataset-format.md describes it.
	CommandFor string `yaml:"command_for" json:"command_for,omitempty"`

	Reports []Report `yaml:"reports" json:"reports,omitempty"`

	// Canaries are tests that must be seen to fail; docs/dataset-format.md describes
	// them. The builder makes those of Go samples, one for each package with an
	// expected test, and those of Python samples.
	Canaries []Canary `yaml:"canaries" json:"canaries,omitempty"`
}

// Canary is a test that must be seen to fail.
type Canary struct {
	Path string `yaml:"path" json:"path"`
	Text string `yaml:"text" json:"text"`
	ID   string `yaml:"id" json:"id"`
}

// Report names a file that the verifier writes. Path is "{reports}/NAME", or "-" for
// standard output.
type Report struct {
	Path    string `yaml:"path" json:"path"`
	Format  string `yaml:"format" json:"format"` // go-test-json or junit-xml; a witness also pytest-text
	Witness bool   `yaml:"witness" json:"witness,omitempty"`
}

// Recorded is what fetching, diffing and running told, kept so that a build can
// fail when it comes out differently.
type Recorded struct {
	PatchSHA256     string `json:"patch_sha256"`
	TestPatchSHA256 string `json:"test_patch_sha256"`
	BaseCommit      string `json:"base_commit"`
	Lists
	Flaky []string `json:"flaky"` // in no list: their outcome changed between runs
}

// Lists sort test ids by outcome with the new tests, before and after the fix.
type Lists struct {
	FailToPass []string `json:"fail_to_pass"` // failed or never reported before
	PassToPass []string `json:"pass_to_pass"`
	FailToFail []string `json:"fail_to_fail"`
}

var verifiers = map[Language]Verifier{
	Go: {
		Command:    `go test -json -vet=off -count=1 -mod=mod -timeout=120s ./... > "$ASSAY_REPORTS/go-test.json"`,
		CommandFor: `go test -json -vet=off -count=1 -mod=mod -timeout=120s -run={tests} {files} > "$ASSAY_REPORTS/go-test.json"`,
		Reports:    []Report{{Path: "{reports}/go-test.json", Format: "go-test-json"}},
	},
	Python: {
		Command:    `python3 -m pytest -p no:cacheprovider -q --junitxml="$ASSAY_REPORTS/junit.xml" tests`,
		CommandFor: `python3 -m pytest -p no:cacheprovider -q --junitxml="$ASSAY_REPORTS/junit.xml" {tests}`,
		Reports: []Report{
			{Path: "{reports}/junit.xml", Format: "junit-xml"},
			{Path: "-", Format: "pytest-text", Witness: true},
		},
	},
}

// DefaultVerifier is how a language's tests are run unless a recipe says otherwise.
// It is zero for JavaScript, which has many test runners.
func DefaultVerifier(language Language) Verifier { return verifiers[language] }

// LoadAll reads every recipe of Files, sorted by instance id.
func LoadAll() ([]Recipe, error) {
	names, err := Glob("recipes/*.yaml")
	if err != nil {
		return nil, err
	}
	recipes := make([]Recipe, 0, len(names))
	for _, name := range names {
		r, err := load(Files, name)
		if err != nil {
			return nil, fmt.Errorf("read recipe %s: %w", name, err)
		}
		recipes = append(recipes, r)
	}
	return recipes, nil
}

func load(files fs.FS, name string) (Recipe, error) {
	var r Recipe
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return r, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&r); err != nil {
		return r, err
	}
	r.ProblemStatement = strings.TrimRight(r.ProblemStatement, "\n")
	if r.Verifier == nil {
		v := DefaultVerifier(r.Language)
		r.Verifier = &v
	}
	stem := strings.TrimSuffix(name, ".yaml")
	if path.Base(stem) != r.InstanceID {
		return r, fmt.Errorf("instance_id %q is not the file's name", r.InstanceID)
	}
	if err := loadRecorded(files, stem+".tests.json", &r.Recorded); err != nil {
		return r, err
	}
	if r.Language == JavaScript {
		if r.Lock, err = fs.ReadFile(files, stem+".package-lock.json"); err != nil {
			return r, err
		}
	}
	return r, r.validate()
}

func loadRecorded(files fs.FS, name string, into *Recorded) error {
	data, err := fs.ReadFile(files, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

var (
	instanceIDs = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9.-]*__[A-Za-z0-9][A-Za-z0-9.-]*-[0-9][0-9A-Za-z.]*$`)
	checksums   = map[Language]*regexp.Regexp{
		Go:         regexp.MustCompile(`^h1:[A-Za-z0-9+/]{43}=$`),
		Python:     regexp.MustCompile(`^sha256:[0-9a-f]{64}$`),
		JavaScript: regexp.MustCompile(`^sha512-[A-Za-z0-9+/]{86}==$`),
	}
)

func (r Recipe) validate() error {
	sums, known := checksums[r.Language]
	switch {
	case !known:
		return fmt.Errorf("language %q is not one of go, python, javascript", r.Language)
	case !instanceIDs.MatchString(r.InstanceID):
		return fmt.Errorf("instance_id %q is not OWNER__NAME-VERSION", r.InstanceID)
	case r.Package == "" || r.Repo == "" || r.ProblemStatement == "":
		return errors.New("package, repo and problem_statement must be set")
	case r.Base.Version == "" || r.Base.Version == r.Fixed.Version:
		return errors.New("base and fixed must be two versions")
	case !sums.MatchString(r.Base.Checksum) || !sums.MatchString(r.Fixed.Checksum):
		return fmt.Errorf("checksums of %s packages look like %s", r.Language, sums)
	case r.Verifier.Command == "" || len(r.Verifier.Reports) == 0:
		return errors.New("verifier needs a command and a report")
	}
	return r.Recorded.validate()
}

// validate makes sure that no test id is in two lists.
func (rec Recorded) validate() error {
	seen := map[string]bool{}
	for _, id := range slices.Concat(rec.FailToPass, rec.PassToPass, rec.FailToFail, rec.Flaky) {
		if seen[id] {
			return fmt.Errorf("test %q is listed twice", id)
		}
		seen[id] = true
	}
	return nil
}

// Image is the reference of the sample's image. Repository names are lower case, and
// the names in an OCI layout know no double underscore.
func (r Recipe) Image() string {
	return "assay-starter/" + strings.ReplaceAll(strings.ToLower(r.InstanceID), "__", "_") + ":latest"
}

// Files returns the names in Files that decide what is built of the recipe.
func (r Recipe) Files() ([]string, error) {
	return Glob("*.go", "build/*.go", "images/*", "recipes/"+r.InstanceID+".*")
}
