package app

import (
	"io"

	"assay/internal/sandbox/oci"
)

// GuardVerb is the verb by which this program runs beside a server, and thaws sandboxes that
// the server leaves frozen when it is killed. Only a server calls it.
const GuardVerb = "guard-frozen"

// Guard is what that verb does, with the pipe of its server.
func Guard(pipe io.Reader) error { return oci.ThawLeft(pipe) }

// guardCommand is how the server starts it: the program that runs, also when its file was
// replaced meanwhile.
func guardCommand() []string { return []string{"/proc/self/exe", GuardVerb} }
