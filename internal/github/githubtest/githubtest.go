// Package githubtest is GitHub as far as a login needs it: an OAuth app, accounts, codes
// that work once and for ten minutes, and faults.
//
//	gh := githubtest.New()           // an http.Handler
//	defer gh.Close()
//	id := gh.AddUser(githubtest.User{Login: "octocat", Emails: ...})
//	code := gh.Code(id)              // as if the user had been sent back with it
//
// A browser that goes to /login/oauth/authorize?...&login=octocat is that user, agrees at
// once, and is sent back. It listens at a loopback port, so that a server in another
// process can be told its URL.
package githubtest

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The OAuth app that the fake knows.
const (
	ClientID     = "Iv1.assaytest"
	ClientSecret = "github-client-secret-of-the-tests"
)

// codeLifetime is how long GitHub takes a code.
const codeLifetime = 10 * time.Minute

// Email is an address of an account.
type Email struct {
	Email    string `json:"email"`
	Primary  bool   `json:"primary"`
	Verified bool   `json:"verified"`
}

// User is an account.
type User struct {
	ID     int64 // given by AddUser when 0
	Login  string
	Name   string // "" is null on the wire
	Emails []Email
}

// Verified is an account with one address, primary and verified.
func Verified(login, email string) User {
	return User{Login: login, Name: strings.ToUpper(login), Emails: []Email{{Email: email, Primary: true, Verified: true}}}
}

// Fault is a way in which GitHub does not work.
type Fault int

// The faults.
const (
	None      Fault = iota
	Down            // hangs up on every connection
	Broken          // answers 500, with what was sent to it in the body
	Slow            // answers nothing until the caller gives up
	Garbage         // answers 200 with what is no JSON
	Empty           // answers 200 with {}
	Oversized       // answers 200 with many megabytes of JSON
	Moved           // redirects elsewhere
)

// grant is what a code stands for.
type grant struct {
	user        int64
	redirectURI string
	challenge   string
	expires     time.Time
}

// Server is a fake GitHub. It is safe for concurrent use.
type Server struct {
	URL string // without a path; what --github-base-url takes

	srv   *httptest.Server
	stop  chan struct{}
	mu    sync.Mutex
	now   func() time.Time
	users map[int64]User
	codes map[string]grant
	// tokens are those that were given out.
	tokens map[string]int64
	fault  map[string]Fault // by path; "" is every path
	calls  int
}

// New starts a fake.
func New() *Server {
	s := &Server{
		stop: make(chan struct{}), now: time.Now,
		users: map[int64]User{}, codes: map[string]grant{}, tokens: map[string]int64{}, fault: map[string]Fault{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login/oauth/authorize", s.authorize)
	mux.HandleFunc("POST /login/oauth/access_token", s.exchange)
	mux.HandleFunc("GET /api/v3/user", s.user)
	mux.HandleFunc("GET /api/v3/user/emails", s.emails)
	s.srv = httptest.NewServer(s.faulty(mux))
	s.URL = s.srv.URL
	return s
}

// Close stops the fake.
func (s *Server) Close() {
	close(s.stop)
	s.srv.CloseClientConnections()
	s.srv.Close()
}

// SetNow sets the clock.
func (s *Server) SetNow(now func() time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = now
}

// Fail makes a path fail, such as "/api/v3/user"; "" is every path.
func (s *Server) Fail(path string, f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault[path] = f
}

// AddUser adds an account, or changes the one with its id, and returns the id.
func (s *Server) AddUser(u User) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.ID == 0 {
		u.ID = int64(1000 + len(s.users))
	}
	s.users[u.ID] = u
	return u.ID
}

// Code returns a code of a user, of a flow that did not begin at our server.
func (s *Server) Code(user int64) string { return s.newCode(grant{user: user}) }

// Calls is how many requests there were.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

// Tokens are the access tokens that were given out; they are secrets of the server's.
func (s *Server) Tokens() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for t := range s.tokens {
		all = append(all, t)
	}
	return all
}

func (s *Server) newCode(g grant) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	code := strings.ToLower(rand.Text())
	g.expires = s.now().Add(codeLifetime)
	s.codes[code] = g
	return code
}

// authorize sends the browser back with a code, as if the user had agreed.
func (s *Server) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	if err != nil || back.Host == "" || q.Get("client_id") != ClientID || q.Get("code_challenge_method") != "S256" {
		http.Error(w, "the OAuth app is not known", http.StatusNotFound)
		return
	}
	id, ok := s.find(q.Get("login"))
	if !ok {
		http.Error(w, "nobody is logged in at GitHub: say &login=", http.StatusUnauthorized)
		return
	}
	code := s.newCode(grant{user: id, redirectURI: q.Get("redirect_uri"), challenge: q.Get("code_challenge")})
	params := back.Query()
	params.Set("code", code)
	params.Set("state", q.Get("state"))
	back.RawQuery = params.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound) //nolint:gosec // which URIs are allowed is the server's to say
}

func (s *Server) find(login string) (id int64, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, u := range s.users {
		if u.Login == login {
			return id, true
		}
	}
	return 0, false
}

// exchange gives out a token for a code. GitHub's refusals have status 200.
func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	refuse := func(code string) {
		answer(w, http.StatusOK, map[string]string{"error": code, "error_description": "as GitHub says"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.PostFormValue("client_id") != ClientID || r.PostFormValue("client_secret") != ClientSecret {
		refuse("incorrect_client_credentials")
		return
	}
	code := r.PostFormValue("code")
	g, ok := s.codes[code]
	delete(s.codes, code)
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case !ok || !s.now().Before(g.expires):
		refuse("bad_verification_code")
	case g.challenge != "" && g.challenge != base64.RawURLEncoding.EncodeToString(challenge[:]):
		refuse("bad_verification_code")
	case g.redirectURI != "" && r.PostFormValue("redirect_uri") != g.redirectURI:
		refuse("redirect_uri_mismatch")
	default:
		token := "gho_" + rand.Text()
		s.tokens[token] = g.user
		answer(w, http.StatusOK, map[string]string{"access_token": token, "token_type": "bearer", "scope": "user:email"})
	}
}

func (s *Server) user(w http.ResponseWriter, r *http.Request) {
	if u, ok := s.whose(w, r); ok {
		name := any(u.Name)
		if u.Name == "" {
			name = nil
		}
		answer(w, http.StatusOK, map[string]any{"id": u.ID, "login": u.Login, "name": name, "email": nil, "type": "User"})
	}
}

func (s *Server) emails(w http.ResponseWriter, r *http.Request) {
	if u, ok := s.whose(w, r); ok {
		answer(w, http.StatusOK, u.Emails)
	}
}

func (s *Server) whose(w http.ResponseWriter, r *http.Request) (u User, ok bool) {
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	id, ok := s.tokens[token]
	if !ok {
		answer(w, http.StatusUnauthorized, map[string]string{"message": "Bad credentials"})
	}
	return s.users[id], ok
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) //nolint:errcheck // the caller is gone, or gets it
}
