package oci

import (
	"io"
	"os"
	"os/exec"

	runc "github.com/containerd/go-runc"
)

// stdio is what the guest agent inherits: nothing to read, a log to write.
type stdio struct{ null, log *os.File }

var _ runc.IO = (*stdio)(nil)

func openStdio(log string) (*stdio, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		null.Close()
		return nil, err
	}
	return &stdio{null: null, log: f}, nil
}

func (s *stdio) Close() error {
	s.null.Close()
	return s.log.Close()
}

// Set gives files, not pipes: with a pipe, waiting for the runtime binary would be
// waiting for the sandbox, which inherits it.
func (s *stdio) Set(cmd *exec.Cmd) { cmd.Stdin, cmd.Stdout, cmd.Stderr = s.null, s.log, s.log }

func (s *stdio) Stdin() io.WriteCloser { return nil }
func (s *stdio) Stdout() io.ReadCloser { return nil }
func (s *stdio) Stderr() io.ReadCloser { return nil }
