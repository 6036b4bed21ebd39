package oci

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// advice looks at what sandboxes run without, and worse: what they were not tried on, and
// quotas of the kernel that they use up for each other, because they share their ids.
func advice() []Need {
	var needs []Need
	add := func(name, found string, err error) {
		needs = append(needs, Need{Name: name, Found: found, Advice: true, Err: err})
	}
	release, err := kernelVersion()
	add("kernel", release, err)
	for _, quota := range []struct {
		name  string
		least int64 // 0 wants no limit at all, which is 0
	}{{"fs.inotify.max_user_instances", 65536}, {"fs.pipe-user-pages-soft", 0}} {
		n, err := sysctl(quota.name)
		if err == nil {
			err = checkQuota(quota.name, n, quota.least)
		}
		add(quota.name, strconv.FormatInt(n, 10), err)
	}
	return needs
}

// kernelVersion reads the version that uname(2) tells. One that cannot be read is no fault.
func kernelVersion() (string, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "", fmt.Errorf("ask the kernel for its version: %w", err)
	}
	release := unix.ByteSliceToString(name.Release[:])
	return release, checkKernel(release)
}

// Versions of Linux below this one were not tried.
const leastMajor, leastMinor = 5, 10

func checkKernel(release string) error {
	var major, minor int
	if _, err := fmt.Sscanf(release, "%d.%d", &major, &minor); err != nil {
		return nil //nolint:nilerr // a name of somebody's own says nothing against the kernel
	}
	if major < leastMajor || major == leastMajor && minor < leastMinor {
		return fmt.Errorf("Linux %s is older than %d.%d, which is the oldest that this was tried on; upgrade it", release, leastMajor, leastMinor) //nolint:staticcheck // a name begins with a capital letter
	}
	return nil
}

func sysctl(name string) (int64, error) {
	text, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(name, ".", "/"))
	if err != nil {
		return 0, fmt.Errorf("read sysctl %s: %w", name, err)
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read sysctl %s: %w", name, err)
	}
	return n, nil
}

func checkQuota(name string, n, least int64) error {
	if n == least || least > 0 && n > least {
		return nil
	}
	return fmt.Errorf("it is %d for all sandboxes together, and one can use it up for the others; run: sysctl -w %s=%d", n, name, least)
}
