package sandboxtest

import (
	"time"

	"assay/internal/sandbox/sandboxtest/rootfs"
)

// Workdir is the work tree of the suite's sandboxes.
const Workdir = "/src/project"

// Future is a file of the image whose time is still to come when it is unpacked.
const Future = "/etc/future"

// Tree is what the image has in Workdir, and beside it by absolute names.
var Tree = []rootfs.File{
	{Name: "README.md", Content: "# A project\n"},
	{Name: "main.sh", Content: "#!/bin/sh\necho main\n", Mode: 0o755},
	{Name: "lib/"},
	{Name: "lib/a.txt", Content: "a\n"},
	{Name: "lib/b.txt", Content: "b\n"},
	{Name: "lib/deep/"},
	{Name: "lib/deep/c.txt", Content: "c\n"},
	{Name: "data/"},
	{Name: "data/one.txt", Content: "1\n"},
	{Name: "data/two.txt", Content: "2\n"},
	{Name: "link", Link: "lib/a.txt"},
	{Name: Future, Content: "to come\n", ModTime: time.Now().AddDate(10, 0, 0)},
}
