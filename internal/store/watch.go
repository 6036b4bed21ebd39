package store

import (
	"context"

	"assay"
)

// Both count by an index of what lives.
const (
	countLiveByStatus = `SELECT count(CASE WHEN status = 'creating' THEN 1 END), count(CASE WHEN status = 'ready' THEN 1 END)
		FROM sessions WHERE status IN ('creating', 'ready')`
	countOpenByStatus = `SELECT count(CASE WHEN status = 'pending' THEN 1 END), count(CASE WHEN status = 'starting' THEN 1 END), count(CASE WHEN status = 'running' THEN 1 END)
		FROM verifications WHERE status IN ('pending', 'starting', 'running')`
)

// CountLiveSessions counts the sessions that have not ended by status; also 0 is there.
func (s *Store) CountLiveSessions(ctx context.Context) (map[string]int, error) {
	return s.countStates(ctx, countLiveByStatus, string(assay.SessionCreating), string(assay.SessionReady))
}

// CountOpenVerifications counts the verifications that have not ended by status; also 0
// is there.
func (s *Store) CountOpenVerifications(ctx context.Context) (map[string]int, error) {
	return s.countStates(ctx, countOpenByStatus,
		string(assay.VerificationPending), string(assay.VerificationStarting), string(assay.VerificationRunning))
}

// countStates runs a query whose one row has a number for each of some states.
func (s *Store) countStates(ctx context.Context, query string, states ...string) (map[string]int, error) {
	counts, places := make([]int, len(states)), make([]any, len(states))
	for i := range counts {
		places[i] = &counts[i]
	}
	if err := s.reader.row(ctx, query).Scan(places...); err != nil {
		return nil, doing(err, "count what lives")
	}
	all := make(map[string]int, len(states))
	for i, state := range states {
		all[state] = counts[i]
	}
	return all, nil
}
