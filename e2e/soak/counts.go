package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"sync"
	"text/tabwriter"
	"time"
)

// wrong is a kind of broken promise.
type wrong string

// The promises that a server must keep.
const (
	leaked           wrong = "leaked"             // the host holds what the database does not own
	falseExit        wrong = "false exits"        // a command or a session was told to have ended as it did not
	lostVerification wrong = "lost verifications" // accepted, and without its verdict
	doubleVerdict    wrong = "double verdicts"    // two outcomes, or two verifications, of one
	badBooks         wrong = "wrong books"        // the ledger does not prove itself
	discrepant       wrong = "discrepancies"      // found between rows and a healthy host
	badAnswer        wrong = "wrong answers"      // beyond what the API promises
)

// counts is what happened, and what should not have. It is safe for concurrent use.
type counts struct {
	say func(format string, args ...any)

	mu     sync.Mutex
	did    map[string]int
	broken map[wrong]int
	absent map[string]string // faults that cannot be made in this run, and why
}

func newCounts(say func(string, ...any)) *counts {
	return &counts{say: say, did: make(map[string]int), broken: make(map[wrong]int), absent: make(map[string]string)}
}

// count notes that something happened.
func (c *counts) count(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did[what]++
}

// notApplied notes that a fault cannot be made in this run, and why.
func (c *counts) notApplied(what, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.absent[what] = why
}

func (c *counts) of(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.did[what]
}

// wrong notes a broken promise, and says it at once.
func (c *counts) wrong(kind wrong, format string, args ...any) {
	c.mu.Lock()
	c.broken[kind]++
	c.mu.Unlock()
	c.say("WRONG, %s: %s", kind, fmt.Sprintf(format, args...))
}

// summary is soak.json.
type summary struct {
	Minutes           float64 `json:"minutes"`
	Kills             int     `json:"kills"` // of servers
	Sessions          int     `json:"sessions"`
	Leaked            int     `json:"leaked"`
	FalseExits        int     `json:"false_exits"`
	LostVerifications int     `json:"lost_verifications"`
	DoubleVerdicts    int     `json:"double_verdicts"`
	WrongBooks        int     `json:"wrong_books"`
	Discrepancies     int     `json:"discrepancies"`
	WrongAnswers      int     `json:"wrong_answers"`

	Faults     map[string]int    `json:"faults"`      // how often each was made
	NotApplied map[string]string `json:"not_applied"` // faults that cannot be made in this run, and why
}

// conclude prints what happened and writes it to a file. It fails when a promise was broken.
func (c *counts) conclude(w io.Writer, file string, took time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, what := range slices.Sorted(maps.Keys(c.did)) {
		fmt.Fprintf(t, "%d\t  %s\n", c.did[what], what)
	}
	all := 0
	for _, kind := range []wrong{leaked, falseExit, lostVerification, doubleVerdict, badBooks, discrepant, badAnswer} {
		fmt.Fprintf(t, "%d\t  %s\n", c.broken[kind], kind)
		all += c.broken[kind]
	}
	_ = t.Flush() // to standard output
	faults := make(map[string]int, len(faultNames))
	for _, what := range faultNames {
		if _, not := c.absent[what]; !not {
			faults[what] = c.did[what]
		}
	}
	content, err := json.MarshalIndent(summary{
		WrongBooks: c.broken[badBooks], Discrepancies: c.broken[discrepant], WrongAnswers: c.broken[badAnswer],
		Faults: faults, NotApplied: c.absent,
		Minutes:           float64(took.Round(time.Second)/time.Second) / 60,
		Kills:             c.did[killedServer],
		Sessions:          c.did[didSession],
		Leaked:            c.broken[leaked],
		FalseExits:        c.broken[falseExit],
		LostVerifications: c.broken[lostVerification],
		DoubleVerdicts:    c.broken[doubleVerdict],
	}, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(file, append(content, '\n'), 0o644); err != nil {
		return err
	}
	if all > 0 {
		return fmt.Errorf("%d promises were broken", all)
	}
	return nil
}
