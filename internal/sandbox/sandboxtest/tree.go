package sandboxtest

import "assay/internal/sandbox/sandboxtest/rootfs"

// Workdir is the work tree of the suite's sandboxes.
const Workdir = "/src/project"

// Tree is what the image has in Workdir.
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
}
