package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// exhaustWord makes this program one that takes all watches of epoll that its user may have,
// and keeps them until its standard input ends.
const exhaustWord = "exhaust-epoll"

// sandboxUID is root of the sandboxes of this run, on the host: not the default, so that
// other sandboxes of the host have watches of their own.
const sandboxUID = 0x71000000

// watchLimit is fs.epoll.max_user_watches meanwhile. The usual one is millions, which take a
// gigabyte of the kernel's memory; no other user of the host comes near this.
const watchLimit = 50_000

const watchFile = "/proc/sys/fs/epoll/max_user_watches"

// refuseEpoll lets the kernel refuse the sandboxes all watches of epoll for some seconds.
func (t *troublemaker) refuseEpoll(ctx context.Context) (err error) {
	old, err := os.ReadFile(watchFile)
	if err != nil {
		t.notApplied(refusedEpoll, err.Error())
		return nil
	}
	if n, err := strconv.Atoi(strings.TrimSpace(string(old))); err != nil || n > watchLimit {
		if err := os.WriteFile(watchFile, fmt.Appendln(nil, watchLimit), 0); err != nil {
			t.notApplied(refusedEpoll, err.Error())
			return nil
		}
		defer func() { err = errors.Join(err, os.WriteFile(watchFile, old, 0)) }()
	}
	over := t.begin(epollRefused, "")
	defer over()
	cmd := exec.CommandContext(ctx, "/proc/self/exe", exhaustWord)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: sandboxUID, Gid: sandboxUID}, Pdeathsig: syscall.SIGKILL}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	told, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		t.count(refusedEpoll)
		t.say("epoll is refused to sandboxes: %s", strings.TrimSpace(told))
		err = pause(ctx, time.Duration(1+t.random.IntN(5))*time.Second)
	}
	return errors.Join(err, stdin.Close(), cmd.Wait())
}

// exhaustEpoll is the program of exhaustWord.
func exhaustEpoll() error {
	var files []int
	for range 300 {
		fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
		if err != nil {
			return err
		}
		files = append(files, fd)
	}
	for watches := 0; ; {
		poller, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
		if err != nil {
			return fmt.Errorf("%d watches were taken: %w", watches, err)
		}
		for _, fd := range files {
			err := unix.EpollCtl(poller, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{})
			if errors.Is(err, unix.ENOSPC) {
				fmt.Printf("%d watches are taken\n", watches)
				_, err := io.Copy(io.Discard, os.Stdin)
				return err
			}
			if err != nil {
				return err
			}
			watches++
		}
	}
}
