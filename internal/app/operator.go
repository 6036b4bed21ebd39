package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay"
	"assay/internal/reconcile"
)

// operatorSocket is where the running server answers who may read the data directory.
const operatorSocket = "operator.sock"

// throughFolder is a name of a file below the data directory that fits into a socket's
// address, however long that of the directory is: by way of a descriptor. close is called
// when it is no longer needed.
func (d dataDir) throughFolder(name string) (short string, closer io.Closer, err error) {
	folder, err := os.Open(string(d))
	if err != nil {
		return "", nil, err
	}
	return filepath.Join("/proc/self/fd", fmt.Sprint(folder.Fd()), name), folder, nil
}

// operatorListener makes the socket. The one of a server that was killed goes: this one has
// the directory's lock.
func (s *server) operatorListener() (net.Listener, error) {
	if err := os.Remove(s.dir.path(operatorSocket)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listen for operators: %w", err)
	}
	name, folder, err := s.dir.throughFolder(operatorSocket)
	if err != nil {
		return nil, fmt.Errorf("listen for operators: %w", err)
	}
	defer folder.Close()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for operators: %w", err)
	}
	l.SetUnlinkOnClose(false) // its name is of a descriptor that is closed; the next server removes it
	return l, nil
}

// operatorHandler answers what only operators may know.
func (s *server) operatorHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /reconciliation", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(s.reconciler.Report()); err != nil {
			s.Log.Debug("an operator did not wait for the answer", "err", err)
		}
	})
	return mux
}

// operatorBound is how long a running server may take to answer an operator.
const operatorBound = 10 * time.Second

// askReconciliation asks the server that runs on a data directory what it found.
func (d dataDir) askReconciliation(ctx context.Context) (report reconcile.Report, err error) {
	ctx, cancel := context.WithTimeout(ctx, operatorBound)
	defer cancel()
	name, folder, err := d.throughFolder(operatorSocket)
	if err != nil {
		return report, err
	}
	defer folder.Close()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var dialer net.Dialer
		return dialer.DialContext(ctx, "unix", name)
	}}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://operator/reconciliation", nil)
	if err != nil {
		return report, err
	}
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return report, fmt.Errorf("no server answers at %s (%w); start assay serve, or give the --data-dir of the one that runs", d.path(operatorSocket), errors.Unwrap(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return report, fmt.Errorf("the running server answers %s; it is of another version than this program", res.Status)
	}
	return report, json.NewDecoder(io.LimitReader(res.Body, 1<<20)).Decode(&report)
}

// DoctorRunning asks the server that runs on the data directory of cfg what its
// comparisons of the database with the host have found.
func DoctorRunning(ctx context.Context, cfg Config) ([]Finding, error) {
	cfg = cfg.WithDefaults()
	dir, err := filepath.Abs(cfg.DataDir)
	if err != nil {
		return nil, fmt.Errorf("find the data directory %s: %w", cfg.DataDir, err)
	}
	report, err := dataDir(dir).askReconciliation(ctx)
	if err != nil {
		return []Finding{finding("running server", "", err), {"comparisons", FindingNotTried, "the running server comes first"}}, ctx.Err()
	}
	findings := []Finding{{"running server", FindingOK, "it has run since " + report.Since.Format(time.RFC3339)}, compared(report, time.Now())}
	for _, kind := range assay.DiscrepancyKinds() {
		findings = append(findings, foundOf(report, kind))
	}
	return findings, ctx.Err()
}

// lateRounds is after how many intervals without a comparison something is wrong.
const lateRounds = 5

// compared tells whether the server compares at all.
func compared(r reconcile.Report, now time.Time) Finding {
	f := Finding{Name: "comparisons", Status: FindingOK}
	interval := time.Duration(r.Interval * float64(time.Second))
	last := r.Since
	if r.Last != nil {
		last = *r.Last
	}
	switch {
	case r.Error != "":
		f.Status, f.Text = FindingMissing, fmt.Sprintf("the last of %d rounds did not compare everything: %s; see the server's log", r.Rounds, r.Error)
	case now.Sub(last) > lateRounds*interval+time.Minute:
		f.Status, f.Text = FindingMissing, fmt.Sprintf("the last round was at %s, and there is one every %s; see the server's log", last.Format(time.RFC3339), interval)
	case r.Last == nil:
		f.Text = fmt.Sprintf("the first round comes %s after the start", interval)
	default:
		f.Text = fmt.Sprintf("%d rounds, one every %s; the last at %s took %.3f s", r.Rounds, interval, last.Format(time.RFC3339), r.Took)
	}
	return f
}

// foundOf tells what was found of a kind. What was put right is advice: something was wrong.
func foundOf(r reconcile.Report, kind assay.DiscrepancyKind) Finding {
	f := Finding{Name: strings.ReplaceAll(string(kind), "_", " "), Status: FindingOK, Text: "none was found"}
	if r.Found[kind] == 0 {
		return f
	}
	f.Status, f.Text = FindingAdvice, fmt.Sprintf("%d were found and put right", r.Found[kind])
	for _, one := range r.Recent {
		if one.Kind != kind {
			continue
		}
		f.Text += fmt.Sprintf("; %s at %s", one.ID, one.At.Format(time.RFC3339))
		if one.Error != "" {
			f.Status = FindingMissing
			f.Text += " cannot be put right: " + one.Error
		}
	}
	return f
}
