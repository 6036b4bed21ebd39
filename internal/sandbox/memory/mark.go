package memory

import (
	"context"

	"assay/internal/sandbox"
)

// mark is a moment of a sandbox.
type mark struct {
	sb   *Sandbox
	then map[string]File
}

// Mark notes what is there.
func (sb *Sandbox) Mark(ctx context.Context) (sandbox.Mark, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := sb.gone(); err != nil {
		return nil, err
	}
	return &mark{sb: sb, then: sb.files.snapshot()}, nil
}

// Written implements sandbox.Mark.
func (m *mark) Written(ctx context.Context, fn func(sandbox.Written) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.sb.gone(); err != nil {
		return err
	}
	now := m.sb.files.snapshot()
	for name, file := range now {
		was, had := m.then[name]
		if had && (was.written == file.written || was.Mode.IsDir() && file.Mode.IsDir()) || !had && file.Mode.IsDir() {
			continue
		}
		if err := fn(sandbox.Written{Name: name, Had: had, Type: file.Mode.Type()}); err != nil {
			return err
		}
	}
	for name, was := range m.then {
		if _, there := now[name]; there || was.Mode.IsDir() {
			continue
		}
		if err := fn(sandbox.Written{Name: name, Had: true, Gone: true}); err != nil {
			return err
		}
	}
	return nil
}
