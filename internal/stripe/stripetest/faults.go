package stripetest

import (
	"net/http"
	"net/http/httptest"
	"time"
)

type faults struct {
	down    bool
	cut     bool
	slow    time.Duration
	lose    int
	request int // how many came
}

// Down makes every request end in a gateway's 503, and does nothing else of it.
func (s *Server) Down(down bool) { s.set(func(f *faults) { f.down = down }) }

// Cut makes every connection break before its request is read.
func (s *Server) Cut(cut bool) { s.set(func(f *faults) { f.cut = cut }) }

// Slow delays every request, before it is carried out, until d has passed or its
// client has gone; what its client gave up is not carried out.
func (s *Server) Slow(d time.Duration) { s.set(func(f *faults) { f.slow = d }) }

// LoseAnswers makes the next n requests be carried out, and their connections break
// before the answer.
func (s *Server) LoseAnswers(n int) { s.set(func(f *faults) { f.lose = n }) }

// Requests is how many requests came, carried out or not.
func (s *Server) Requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.request
}

func (s *Server) set(change func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.faults)
}

// next counts a request and says what it suffers.
func (f *faults) next() faults {
	f.request++
	now := *f
	if f.lose > 0 && !f.down && !f.cut {
		f.lose--
	}
	return now
}

func (s *Server) withFaults(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		f := s.faults.next()
		s.mu.Unlock()
		if f.slow > 0 && !s.wait(r, f.slow) {
			panic(http.ErrAbortHandler)
		}
		switch {
		case f.cut:
			panic(http.ErrAbortHandler)
		case f.down:
			http.Error(w, "<html>Service Unavailable</html>", http.StatusServiceUnavailable)
		case f.lose > 0:
			next.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// wait returns false if the client or the server went away meanwhile.
func (s *Server) wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
	case <-s.done:
	}
	return false
}
