package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// roundEvery is how often the servers of a run compare rows with the host: more often than
// others, because they do not live long.
const roundEvery = 10 * time.Second

// calmRounds is how many intervals a server is watched that nobody troubles any more.
const calmRounds = 4

// calm asks the running server, once it has compared for a while and nothing is under way,
// what it found: a healthy one finds nothing.
func (w *world) calm(ctx context.Context) error {
	w.say("watching a server that nobody troubles")
	if err := w.server.Stop(); err != nil { // what the last one found has to do with the trouble
		return err
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	if err := pause(ctx, calmRounds*roundEvery); err != nil {
		return err
	}
	out, err := w.program.Run(ctx, "doctor", "--running", "--json")
	var report struct {
		Checks []struct{ Name, Status, Text string }
	}
	if jerr := json.Unmarshal(out, &report); jerr != nil {
		w.wrong(discrepant, "assay doctor --running: %v, %v: %s", err, jerr, out)
		return nil
	}
	for _, c := range report.Checks {
		if c.Status != "ok" {
			w.wrong(discrepant, "on a healthy server: %s is %s: %s", c.Name, c.Status, c.Text)
		}
	}
	return nil
}

// putRight is the line of a server's log that tells of a discrepancy.
var putRight = regexp.MustCompile(`^time=(\S+) .*(what the database and the (?:world|host) d[oi].*)`)

// agreed looks into the log for what servers found while they were troubled. A disk that
// fails, a runtime that is killed while it destroys and a database whose answers are cut leave
// something to find; nothing else does.
func (w *world) agreed(dir string) {
	log, err := os.Open(filepath.Join(dir, "server.log"))
	if err != nil {
		w.wrong(discrepant, "the log of the server cannot be read: %v", err)
		return
	}
	defer log.Close()
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		found := putRight.FindStringSubmatch(lines.Text())
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		w.count(didPutRight)
		if err != nil || w.suffered("", at.Add(-time.Minute), at, diskFull, diskReadOnly, rebooted, runtimeDied, commitsCut) == 0 {
			w.wrong(discrepant, "%s: %s", found[1], strings.TrimSpace(found[2]))
		}
	}
	if err := lines.Err(); err != nil {
		w.wrong(discrepant, "the log of the server cannot be read: %v", err)
	}
}
