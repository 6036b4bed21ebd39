package oci

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"assay/agent"
	"assay/internal/image"
	"assay/internal/sandbox"
)

// agentPath is where sandboxes see the guest agent.
const agentPath = "/.assay/agent"

// capabilities of root inside, over what the sandbox's user namespace owns. They
// are what package managers and test suites use: own and hand out files, change
// user, signal other users' processes, bind low ports, chroot.
//
// Of Docker's default set these are left out: MKNOD (devices cannot be made in a
// user namespace), NET_RAW (forging packets), AUDIT_WRITE (reaches the host's
// log), SETFCAP (no_new_privs voids file capabilities), SETPCAP (nothing to hand
// on). SYS_PTRACE is left out because it would open the agent; debuggers trace
// their own children without it.
var capabilities = []string{
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
	"CAP_SETGID", "CAP_SETUID", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
}

// maskedPaths and readonlyPaths are those of Docker's default (moby, oci/defaults.go),
// and one more.
var (
	maskedPaths = []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats",
		"/proc/sched_debug", "/proc/scsi", "/proc/timer_list", "/proc/timer_stats",
		"/sys/devices/virtual/powercap", "/sys/firmware",
	}
	// With version 1 of cgroups, the top of /sys/fs/cgroup is a tmpfs that runc leaves
	// writable: room that no limit of the disk counts.
	readonlyPaths = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/sys/fs/cgroup"}
)

// bundle is what a config.json is made from.
type bundle struct {
	spec    sandbox.Spec // with its limits filled
	ids     image.IDShift
	rootfs  string
	agent   string // on the host
	config  string // the agent's, encoded
	cgroup  string
	swap    bool   // whether the host accounts for swap
	door    string // of the agent on gVisor, else ""
	seccomp *specs.LinuxSeccomp
}

// write makes the bundle in dir.
func (b *bundle) write(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	content, err := json.Marshal(b.ociSpec())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), content, 0o600)
	}
	if err != nil {
		return fmt.Errorf("write the bundle: %w", err)
	}
	return nil
}

func (b *bundle) ociSpec() *specs.Spec {
	return &specs.Spec{
		Version:  "1.0.2",
		Hostname: "sandbox",
		Root:     &specs.Root{Path: b.rootfs},
		Mounts:   b.mounts(),
		Process: &specs.Process{
			Args:            []string{agentPath},
			Env:             []string{agent.ConfigEnv + "=" + b.config},
			Cwd:             b.spec.Workdir, // made by the runtime, as root inside, when the image lacks it
			NoNewPrivileges: true,
			Capabilities:    &specs.LinuxCapabilities{Bounding: capabilities, Effective: capabilities, Permitted: capabilities},
			Rlimits:         b.rlimits(),
			OOMScoreAdj:     b.oomScore(),
		},
		Linux: &specs.Linux{
			Namespaces:    b.namespaces(),
			UIDMappings:   []specs.LinuxIDMapping{{ContainerID: 0, HostID: b.ids.UIDBase, Size: b.ids.Size}},
			GIDMappings:   []specs.LinuxIDMapping{{ContainerID: 0, HostID: b.ids.GIDBase, Size: b.ids.Size}},
			CgroupsPath:   b.cgroup,
			Resources:     b.resources(),
			Seccomp:       b.seccomp,
			MaskedPaths:   maskedPaths,
			ReadonlyPaths: readonlyPaths,
		},
	}
}

func (b *bundle) namespaces() []specs.LinuxNamespace {
	all := []specs.LinuxNamespace{
		{Type: specs.UserNamespace}, {Type: specs.MountNamespace}, {Type: specs.PIDNamespace},
		{Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.CgroupNamespace},
	}
	if b.spec.Network != sandbox.NetworkFull {
		all = append(all, specs.LinuxNamespace{Type: specs.NetworkNamespace})
	}
	return all
}

func (b *bundle) mounts() []specs.Mount {
	closed := []string{"nosuid", "noexec", "nodev"}
	sys := specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: append([]string{"ro"}, closed...)}
	if b.spec.Network == sandbox.NetworkFull {
		// The kernel gives a sysfs only to the owner of the network namespace, and
		// the host's own shows too much.
		sys = specs.Mount{Destination: "/sys", Type: "tmpfs", Source: "tmpfs", Options: append([]string{"ro", "size=0"}, closed...)}
	}
	// The kernel has some 3000 pseudoterminals for all (kernel.pty.max less
	// kernel.pty.reserve): one user's sandboxes cannot take them away from the others'.
	const ptys = "max=128"
	mounts := []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc", Options: closed},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=64k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5", ptys}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: append([]string{"mode=1777", "size=64m"}, closed...)},
		{Destination: "/dev/mqueue", Type: "mqueue", Source: "mqueue", Options: closed},
		sys,
		{Destination: agentPath, Type: "bind", Source: b.agent, Options: []string{"bind", "ro", "nosuid", "nodev"}},
	}
	if b.door != "" {
		return append(mounts, specs.Mount{Destination: doorPath, Type: "bind", Source: b.door, Options: append([]string{"bind"}, closed...)})
	}
	return append(mounts, specs.Mount{Destination: "/sys/fs/cgroup", Type: "cgroup", Source: "cgroup", Options: append([]string{"ro"}, closed...)})
}

// cpuPeriod is the period of a CPU quota, in microseconds: the kernel's default.
const cpuPeriod = 100_000

func (b *bundle) resources() *specs.LinuxResources {
	limits := b.spec.Limits
	quota, period := int64(limits.CPUs*cpuPeriod), uint64(cpuPeriod)
	pids := limits.PIDs
	if b.door != "" {
		// What the host counts are gVisor's own threads, and two or so for each process
		// inside: the limit is one for the host.
		pids = 2*pids + 256
	}
	memory := &specs.LinuxMemory{Limit: &limits.MemoryBytes}
	if b.swap {
		memory.Swap = &limits.MemoryBytes // memory and swap together: no swap
	}
	return &specs.LinuxResources{
		Devices: []specs.LinuxDeviceCgroup{{Allow: false, Access: "rwm"}}, // the runtime adds null, zero, tty, ...
		CPU:     &specs.LinuxCPU{Quota: &quota, Period: &period, Shares: b.shares()},
		Memory:  memory,
		Pids:    &specs.LinuxPids{Limit: &pids},
	}
}

// shares is the weight of a sandbox among others that want the CPUs: nil is the kernel's
// default, 1024, and 2 its least. Runtimes make of it the weight of version 2 of cgroups,
// 100 and 1.
func (b *bundle) shares() *uint64 {
	if !b.spec.Background {
		return nil
	}
	return new(uint64(2))
}

// oomScore says which processes the kernel kills first when the host has no memory left;
// nil is what the server has.
func (b *bundle) oomScore() *int {
	if !b.spec.Background {
		return nil
	}
	return new(1000) // the most
}

// maxOpenFiles is the limit of open files of a process, where the host allows it.
const maxOpenFiles = 1 << 16

// rlimits never raises a hard limit: that takes CAP_SYS_RESOURCE, which a server
// in a container may lack.
func (b *bundle) rlimits() []specs.POSIXRlimit {
	files := uint64(maxOpenFiles)
	var now unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &now); err == nil {
		files = min(files, now.Max)
	}
	limits := []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: files, Hard: files}}
	if b.door != "" {
		return limits // gVisor dumps no core, and the agent marks commands by that limit
	}
	return append(limits, specs.POSIXRlimit{Type: "RLIMIT_CORE", Soft: 0, Hard: 0})
}

// seccompProfile is the profile that Docker ships, for our capabilities.
func seccompProfile() (*specs.LinuxSeccomp, error) {
	profile, err := seccomp.GetDefaultProfile(&specs.Spec{
		Process: &specs.Process{Capabilities: &specs.LinuxCapabilities{Bounding: capabilities}},
	})
	if err != nil {
		return nil, fmt.Errorf("make the seccomp profile: %w", err)
	}
	return profile, nil
}
