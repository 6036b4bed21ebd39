// Package tasksandbox says what sandbox the task of a sample asks for.
package tasksandbox

import (
	"time"

	"assay"
	"assay/internal/sandbox"
)

// Spec returns the sandbox with this id that a sample's task asks for, until a deadline.
func Spec(id string, sample *assay.Sample, deadline time.Time, labels map[string]string) sandbox.Spec {
	t := sample.Task
	return sandbox.Spec{
		ID:       id,
		Image:    t.ImageFor(sample.Dataset, sample.ID),
		Workdir:  t.Workdir,
		Env:      t.Env,
		Deadline: deadline,
		Network:  sandbox.Network(t.Network),
		Labels:   labels,
		Limits: sandbox.Limits{
			CPUs:        t.Resources.CPUs,
			MemoryBytes: t.Resources.MemoryMB << 20,
			PIDs:        t.Resources.PIDs,
			DiskBytes:   t.Resources.DiskMB << 20,
		},
	}
}
