package guest

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// commandOOMScore is the oom_score_adj of commands (proc_pid_oom_score_adj(5)):
// when the sandbox's memory is used up, they die and the agent lives to tell.
const commandOOMScore = 500

// exposeToOOM gives commandOOMScore to a process that was just started. A process that
// forbids it, and a child that was quicker, are judged by their size alone.
func exposeToOOM(proc, pid int) {
	fd, err := unix.Openat(proc, strconv.Itoa(pid)+"/oom_score_adj", unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	unix.Write(fd, strconv.AppendInt(nil, commandOOMScore, 10)) //nolint:errcheck // see above
}
