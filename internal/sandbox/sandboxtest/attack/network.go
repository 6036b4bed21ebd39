package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

var network = map[string]func([]string) error{
	// The arguments are addresses: host:port, or a path, or @abstract.
	"connect to the host": func(args []string) error {
		var ways []func() error
		for _, address := range args {
			ways = append(ways, func() error {
				kind := "tcp"
				if strings.HasPrefix(address, "@") || strings.HasPrefix(address, "/") {
					kind = "unix"
				}
				conn, err := net.DialTimeout(kind, address, 2*time.Second)
				if err == nil {
					conn.Close()
				}
				return err
			})
		}
		return anyOf(ways...)
	},
	"connect to sockets that can be seen": func([]string) error {
		table, err := os.ReadFile("/proc/net/unix")
		if err != nil {
			return err
		}
		ways := []func() error{func() error { return errors.New("none") }}
		for line := range strings.Lines(string(table)) {
			if fields := strings.Fields(line); len(fields) > 7 && fields[0] != "Num" {
				ways = append(ways, func() error { return talk(fields[7]) })
			}
		}
		return anyOf(ways...)
	},
	"speak to the agent": func([]string) error { return talk("/.assay/run/agent.sock") },
	"raw sockets": func([]string) error {
		var ways []func() error
		for _, s := range [][3]int{{unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_ICMP}, {unix.AF_INET6, unix.SOCK_RAW, unix.IPPROTO_ICMPV6}, {unix.AF_PACKET, unix.SOCK_RAW, 0x300}} {
			ways = append(ways, func() error { _, err := unix.Socket(s[0], s[1], s[2]); return err })
		}
		return anyOf(ways...)
	},
	"the host's hypervisor": func([]string) error {
		fd, err := unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		if err := unix.Connect(fd, &unix.SockaddrVM{CID: unix.VMADDR_CID_HOST, Port: 22}); !errors.Is(err, unix.EINPROGRESS) {
			return err
		}
		_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 1000)
		if err != nil {
			return err
		}
		if failed, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR); err != nil || failed != 0 {
			return errors.Join(err, unix.Errno(failed))
		}
		return errContained
	},
	"interfaces of the host": func([]string) error {
		all, err := net.Interfaces()
		if err != nil {
			return err
		}
		for _, one := range all {
			if one.Flags&net.FlagLoopback == 0 {
				fmt.Println(one.Name)
				return nil
			}
		}
		return errors.New("only a loopback")
	},
}

// talk connects to a socket and greets. Nobody inside may have an answer.
func talk(name string) error {
	conn, err := net.DialTimeout("unix", name, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return err
	}
	if _, err := conn.Write(make([]byte, 64)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}
