package sandboxtest

// Item names something that the suite asks of runtimes with processes, and that one of
// them cannot do.
type Item string

// Items, in the words of docs/security.md.
const (
	HogDiesAlone   Item = "only the command that uses up the memory is killed"
	BombEndsAlone  Item = "a sandbox lives on after a fork bomb"
	InitIsSafe     Item = "root inside cannot kill or stop the agent"
	PipesAreSeen   Item = "named pipes are told as changes"
	AgentIsUnread  Item = "the agent's program cannot be read inside"
	KernelIsClosed Item = "calls that administer a kernel are refused"
)

// GVisorLacks is what oci with runsc lacks, with the reasons.
var GVisorLacks = map[Item]string{
	HogDiesAlone:   "all memory of a gVisor sandbox belongs to one process of the host, so the host's kernel kills the whole sandbox; its end is told as out_of_memory",
	BombEndsAlone:  "the limit of processes counts threads of the host (twice the limit and 256), and gVisor's kernel ends when it gets no more of them; the host is safe, the sandbox may be lost",
	InitIsSafe:     "gVisor does not shield process 1 from signals of its own namespace, so a sandbox can end or stop its agent: it harms itself only, and the server ends it at its deadline",
	PipesAreSeen:   "gVisor keeps named pipes in its own memory, so that none reaches the disk; nothing of a work tree is lost with them",
	AgentIsUnread:  "gVisor loads programs by reading them; the agent has no secrets in its program, and its memory is closed",
	KernelIsClosed: "gVisor allows some of them (user namespaces, priorities, keys, its log, /dev/fuse), but they reach its own kernel, which is a part of the sandbox, and nothing of the host",
}

// lacks tells whether the runtime has said that it cannot do something.
func (s *suite) lacks(what Item) bool {
	_, lacking := s.Lacks[what]
	return lacking
}

// expectHeld checks that something holds where it should, and does not where the
// runtime says so: a lack that is none any more is to be struck out.
func (s *suite) expectHeld(what Item, held bool, detail string) {
	s.Helper()
	switch {
	case !held && !s.lacks(what):
		s.Errorf("it does not hold that %s: %s", what, detail)
	case held && s.lacks(what):
		s.Errorf("it does hold that %s; the Factory says otherwise: %s\n%s", what, s.Lacks[what], detail)
	}
}
