package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is where the numbers come from.
type Machine struct {
	CPU        string    `json:"cpu"`
	Cores      int       `json:"cores"`
	MemoryMiB  int       `json:"memory_mib"`
	Kernel     string    `json:"kernel"`
	Go         string    `json:"go"`
	At         time.Time `json:"at"`
	Seconds    float64   `json:"seconds"`
	LoadBefore float64   `json:"load_before"` // average of a minute; above 1 somebody else is at work
	LoadAfter  float64   `json:"load_after"`
	Note       string    `json:"note"`
}

func (m Machine) String() string {
	return fmt.Sprintf("%d x %s, %d MiB, Linux %s, %s; load %.2f before, %.2f after; %.0f s\n",
		m.Cores, m.CPU, m.MemoryMiB, m.Kernel, m.Go, m.LoadBefore, m.LoadAfter, m.Seconds)
}

func thisMachine() Machine {
	return Machine{
		CPU:        field("/proc/cpuinfo", "model name"),
		Cores:      runtime.NumCPU(),
		MemoryMiB:  kib(field("/proc/meminfo", "MemTotal")) >> 10,
		Kernel:     kernel(),
		Go:         runtime.Version(),
		At:         time.Now().UTC().Truncate(time.Second),
		LoadBefore: load(),
		Note:       "clients, server and sandboxes share the cores",
	}
}

// field returns the value of the first line "name : value" of a file of /proc, "" when
// there is none.
func field(file, name string) string {
	content, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(content)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// kib reads a number of KiB, as /proc has it: "1234 kB".
func kib(value string) int {
	n, err := strconv.Atoi(strings.TrimSuffix(value, " kB"))
	if err != nil {
		return 0
	}
	return n
}

func kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return "?"
	}
	return unix.ByteSliceToString(u.Release[:])
}

// load is the load average of the last minute.
func load() float64 {
	content, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(content), " ")
	v, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	return v
}
