package githubtest

import (
	"fmt"
	"net/http"
	"strings"
)

// faulty puts the faults before what works.
func (s *Server) faulty(works http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch s.faultOf(r.URL.Path) {
		case Down:
			panic(http.ErrAbortHandler)
		case Broken:
			w.WriteHeader(http.StatusInternalServerError)
			r.ParseForm()                             //nolint:errcheck // what was sent is shown as far as it can be read
			fmt.Fprintf(w, "%v %v", r.Form, r.Header) //nolint:gosec // no browser reads it
		case Slow:
			r.ParseForm() //nolint:errcheck // reads the body, so that a hang-up is noticed
			select {
			case <-r.Context().Done():
			case <-s.stop:
			}
		case Garbage:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "<html>unicorn</html>")
		case Empty:
			answer(w, http.StatusOK, map[string]any{})
		case Oversized:
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, `[{"access_token":"`)
			for filler := strings.Repeat("x", 1<<20); ; {
				if _, err := fmt.Fprint(w, filler); err != nil {
					return
				}
			}
		case Moved:
			http.Redirect(w, r, s.URL+"/elsewhere", http.StatusTemporaryRedirect)
		default:
			works.ServeHTTP(w, r)
		}
	})
}

func (s *Server) faultOf(path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if f, ok := s.fault[path]; ok {
		return f
	}
	return s.fault[""]
}
