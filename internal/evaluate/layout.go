package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"path/filepath"
	"strings"

	"assay"
	"assay/internal/sandbox"
)

// The user that verifiers run as unless their sample says otherwise: nobody, as every
// distribution has it.
const nobodyUID = 65534

// Places of the clean sandbox. The directory of reports has a name that cannot be
// guessed, in one that cannot be listed: whoever was not told it does not find it.
const (
	privateDir = "/run/assay"
	homeDir    = privateDir + "/home"
)

// ready prepares everything else that the suite needs: canaries, no stale reports,
// a tree that its user cannot change, and places of its own.
func (env *environment) ready(ctx context.Context) error {
	if err := env.layCanaries(ctx); err != nil {
		return err
	}
	if err := env.removeReports(ctx); err != nil {
		return err
	}
	const (
		enter = 0o711  // and do not list
		drop  = 0o1733 // make files of one's own, and do not list
	)
	for _, dir := range []struct {
		name string
		mode int64
	}{{privateDir, enter}, {homeDir, 0o1777}, {env.reports, drop}} {
		made := layerOf(map[string]string{strings.TrimPrefix(dir.name, "/run/") + "/": ""}, dir.mode)
		if err := env.box.ApplyLayer(ctx, "/run", made); err != nil {
			return fmt.Errorf("make %s: %w", dir.name, err)
		}
	}
	if env.uid() == 0 {
		return nil
	}
	req := sandbox.ProtectRequest{Root: env.sample.Task.Workdir, UID: env.uid(), Hidden: []string{".git"}}
	if err := env.box.ProtectTree(ctx, req); err != nil {
		return fmt.Errorf("protect the work tree from its tests: %w", err)
	}
	return nil
}

// uid is who runs the suite.
func (env *environment) uid() uint32 {
	if env.sample.Task.Verifier.User == assay.UserRoot {
		return 0
	}
	return nobodyUID
}

// environ is the environment of the suite, on top of the image's: the same for
// everybody, and nothing from the work tree. What the sample sets itself goes first.
func (env *environment) environ() map[string]string {
	vars := map[string]string{
		"LANG":             "C.UTF-8",
		"TZ":               "UTC",
		"PYTHONHASHSEED":   "0",
		"PYTHONNOUSERSITE": "1",
		"GOENV":            "off",
		"LD_PRELOAD":       "",
	}
	if env.uid() != 0 {
		vars["HOME"], vars["USER"], vars["LOGNAME"] = homeDir, "nobody", "nobody"
	}
	maps.Copy(vars, env.sample.Task.Env)
	vars[assay.EnvReports] = env.reports
	return vars
}

// reportLocation returns the directory that a report lies below, and its name or pattern
// there. Both are "" for standard output.
func reportLocation(sample *assay.Sample, spec assay.ReportSpec, reports string) (root, pattern string) {
	rest, inReports := strings.CutPrefix(spec.Path, assay.ReportsPlaceholder+"/")
	switch {
	case spec.Path == "-":
		return "", ""
	case inReports:
		return reports, path.Clean(rest)
	case path.IsAbs(spec.Path):
		if below, err := filepath.Rel(sample.Task.Workdir, spec.Path); err == nil && filepath.IsLocal(below) {
			return sample.Task.Workdir, below
		}
		return "/", strings.TrimPrefix(path.Clean(spec.Path), "/")
	}
	return sample.Task.Workdir, path.Clean(spec.Path)
}

// removeReports removes what lies where the verifier will leave its reports: whatever
// is there afterwards is of this run.
func (env *environment) removeReports(ctx context.Context) error {
	for _, spec := range env.sample.Task.Verifier.Reports {
		root, pattern := reportLocation(env.sample, spec, env.reports)
		if root == "" || root == env.reports {
			continue
		}
		var stale []string
		req := sandbox.CollectRequest{Root: root, Patterns: []string{pattern}, MaxFiles: maxReportFiles, MaxBytes: maxReportFilesMB << 20}
		err := env.box.Collect(ctx, req, func(name string, _ int64, _ io.Reader) error {
			stale = append(stale, name)
			return nil
		})
		if errors.Is(err, sandbox.ErrTooLarge) {
			why := fmt.Sprintf("where the suite leaves its reports (%s), there are more than %d files or %d MiB already", spec.Path, maxReportFiles, maxReportFilesMB)
			return &workFault{why: why, err: err}
		}
		if err == nil && len(stale) > 0 {
			err = env.box.ApplyLayer(ctx, root, whiteouts(stale))
		}
		if err != nil {
			return fmt.Errorf("remove stale reports: %w", err)
		}
	}
	return nil
}
