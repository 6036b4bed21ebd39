// Package stripetest is a Stripe for tests: an HTTP server on loopback that speaks as
// much of Stripe's API as package stripe needs, keeps state as Stripe does, and makes
// the events that Stripe would send. The people on the other side, who pay, dispute
// and refund, are its methods.
//
// It differs from Stripe where a test wants it: nothing expires by itself (Expire),
// nothing is sent by itself (Events, Deliver), and it fails on demand (Down, Slow,
// LoseAnswers). Idempotency keys are never forgotten.
package stripetest

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// APIVersion is the version in which events are rendered.
const APIVersion = "2026-03-25.dahlia"

// Config is what a test may choose.
type Config struct {
	SecretKey     string           // defaults to a random sk_test_...
	WebhookSecret string           // defaults to a random whsec_...
	Now           func() time.Time // defaults to time.Now
}

// Server is a Stripe account. It may be used by many goroutines.
type Server struct {
	URL           string // the base of the API
	SecretKey     string
	WebhookSecret string

	now  func() time.Time
	http *httptest.Server
	done chan struct{} // closed by Close

	mu        sync.Mutex
	faults    faults
	customers map[string]customer
	sessions  map[string]*session
	payments  map[string]*payment // by the id of the payment intent
	answers   map[string]answer   // by idempotency key
	events    []Event             // not taken yet
}

// New starts a server. Close ends it.
func New(cfg Config) *Server {
	s := &Server{
		SecretKey:     cfg.SecretKey,
		WebhookSecret: cfg.WebhookSecret,
		now:           cfg.Now,
		done:          make(chan struct{}),
		customers:     map[string]customer{},
		sessions:      map[string]*session{},
		payments:      map[string]*payment{},
		answers:       map[string]answer{},
	}
	if s.SecretKey == "" {
		s.SecretKey = "sk_test_" + rand.Text()
	}
	if s.WebhookSecret == "" {
		s.WebhookSecret = "whsec_" + rand.Text()
	}
	if s.now == nil {
		s.now = time.Now
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/customers", s.post((*Server).createCustomer))
	mux.HandleFunc("POST /v1/checkout/sessions", s.post((*Server).createSession))
	mux.HandleFunc("GET /v1/checkout/sessions/{id}", s.getSession)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		send(w, refused(http.StatusNotFound, "", "", fmt.Sprintf("Unrecognized request URL (%s: %s).", r.Method, r.URL.Path)))
	})
	s.http = httptest.NewServer(s.withFaults(s.authenticated(mux)))
	s.URL = s.http.URL
	return s
}

// Close ends the server and waits for its requests.
func (s *Server) Close() {
	close(s.done)
	s.http.Close()
}

func (s *Server) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer {
			key, _, _ = r.BasicAuth()
		}
		if subtle.ConstantTimeCompare([]byte(key), []byte(s.SecretKey)) != 1 {
			send(w, refused(http.StatusUnauthorized, "", "", "Invalid API Key provided."))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// answer is what a request is answered with, and again if it comes again.
type answer struct {
	request string // path and parameters
	status  int
	body    []byte
}

// post serves a request that makes something, once for each idempotency key
// (https://docs.stripe.com/api/idempotent_requests). As at Stripe, what was refused
// for its parameters is not kept.
func (s *Server) post(make func(*Server, url.Values) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		if err := r.ParseForm(); err != nil {
			send(w, refused(http.StatusBadRequest, "", "", "The request cannot be read."))
			return
		}
		key, request := r.Header.Get("Idempotency-Key"), r.URL.Path+"?"+r.PostForm.Encode()
		s.mu.Lock()
		defer s.mu.Unlock()
		kept, found := s.answers[key]
		switch {
		case key == "" || !found:
			kept = make(s, r.PostForm)
			kept.request = request
			if key != "" && kept.status < http.StatusBadRequest {
				s.answers[key] = kept
			}
		case kept.request != request:
			kept = failure(http.StatusBadRequest, apiError{Type: "idempotency_error", Message: "Keys for idempotent requests can only be used with the same parameters they were first used with."})
		default:
			w.Header().Set("Idempotent-Replayed", "true")
		}
		send(w, kept)
	}
}

// apiError is Stripe's error object.
type apiError struct {
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
	Param   string `json:"param,omitempty"`
	Type    string `json:"type"`
}

func failure(status int, e apiError) answer {
	return answer{status: status, body: render(map[string]apiError{"error": e})}
}

func refused(status int, code, param, message string) answer {
	return failure(status, apiError{Type: "invalid_request_error", Code: code, Param: param, Message: message})
}

func made(object any) answer { return answer{status: http.StatusOK, body: render(object)} }

func send(w http.ResponseWriter, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Request-Id", "req_"+rand.Text())
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body) // the client may be gone
}

// render prints an object as Stripe does, indented.
func render(object any) []byte {
	body, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("stripetest: render %T: %v", object, err)) // our own plain structs
	}
	return body
}
