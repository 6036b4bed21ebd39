package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"assay/internal/app"
)

// suiteFlags are those of verbs that run the suites of a dataset's samples.
type suiteFlags struct {
	localFlags
	Samples    []string `name:"sample" placeholder:"ID" help:"These samples alone."`
	Workers    int      `placeholder:"N" default:"2" help:"Sandboxes at a time (2)."`
	OCIRuntime string   `name:"oci-runtime" placeholder:"PROGRAM" help:"OCI runtime: runc, runsc, or a path (runc)."`
	Agent      string   `name:"agent" placeholder:"FILE" help:"Path of assay-agent (the one beside this program)."`
}

// maxRuns bounds the runs of a sample's suite.
const maxRuns = 1000

// open checks the flags, and opens the data directory for a verb that may make so many runs
// of each suite, which a flag says.
func (f *suiteFlags) open(ctx context.Context, parsed *kong.Context, flag string, runs int) (*app.App, error) {
	if f.Workers < 1 {
		return nil, usageError{errors.New("--workers: want at least 1")}
	}
	if runs < 1 || runs > maxRuns {
		return nil, usageError{fmt.Errorf("--%s: want 1 to %d", flag, maxRuns)}
	}
	var err error
	if f.Samples, err = sampleIDs(f.Samples); err != nil {
		return nil, err
	}
	flags := f.config()
	flags.OCIRuntime, flags.Agent = f.OCIRuntime, f.Agent
	return openApp(ctx, f.File, flags, parsed, app.OpenExisting)
}

// sampleIDs returns the ids that --sample gives, each once.
func sampleIDs(given []string) (ids []string, err error) {
	for _, id := range given {
		if strings.TrimSpace(id) == "" {
			return nil, usageError{errors.New("--sample: an id is empty; want ids of samples with commas between them")}
		}
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}
