// Command assay-agent is PID 1 of a sandbox. It is started by a runtime, which
// hands it a listening socket and a configuration; see package agent.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"

	"assay/agent"
	"assay/agent/guest"
)

func main() {
	tune()
	os.Exit(run())
}

// tune keeps an idle agent small: hundreds of them share a host.
func tune() {
	runtime.GOMAXPROCS(min(2, runtime.GOMAXPROCS(0)))
	debug.SetGCPercent(25) // the heap starts at 1 MiB then, not at 4
}

func run() int {
	cfg, err := agent.ParseConfig(os.Getenv(agent.ConfigEnv))
	if err != nil {
		return report(err, agent.ExitConfig)
	}
	os.Clearenv()
	l, err := guest.Listener(cfg)
	if err != nil {
		return report(err, agent.ExitConfig)
	}
	err = guest.Run(cfg, l)
	if errors.Is(err, guest.ErrExpired) {
		return report(err, agent.ExitExpired)
	}
	return report(err, agent.ExitFault)
}

func report(err error, code int) int {
	fmt.Fprintf(os.Stderr, "assay-agent: %v\n", err)
	return code
}
