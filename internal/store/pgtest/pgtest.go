// Package pgtest gives tests a PostgreSQL of their own. The first test of a binary that
// asks for a database starts a server, in a folder of its own and behind a socket in
// it; every test gets a fresh database in that server.
//
//	func TestMain(m *testing.M) { os.Exit(pgtest.Stopping(m).Run()) }
//
//	func TestSomething(t *testing.T) {
//		s, err := store.Open(t.Context(), pgtest.Database(t), store.Options{})
//
// The server ends with the binary, also when that is killed. Where PostgreSQL is not
// installed, tests that ask for a database fail.
package pgtest

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared is the server of this binary.
var shared struct {
	sync.Mutex
	server *Server
	err    error
}

// Database makes an empty database in the server of this binary and returns its URL.
// It is dropped when the test ends, whoever uses it then.
func Database(tb testing.TB) string {
	tb.Helper()
	return server(tb).Database(tb)
}

func server(tb testing.TB) *Server {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = start()
	}
	if shared.err != nil {
		tb.Fatal(shared.err)
	}
	return shared.server
}

// Runner is *testing.M.
type Runner interface{ Run() int }

// Stopping returns a Runner that runs the tests of a binary and stops its server. It
// fits goleak.VerifyTestMain.
func Stopping(m Runner) Runner { return stopping{m} }

type stopping struct{ tests Runner }

func (s stopping) Run() int {
	code := s.tests.Run()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return code
	}
	if err := shared.server.end(); err != nil {
		fmt.Println(err)
		code = cmp.Or(code, 1)
	}
	shared.server = nil
	return code
}

// Template is a database that is filled once in the server of this binary, and copied
// for each test: quicker than filling each.
type Template struct {
	// Fill fills the empty database with this URL.
	Fill func(ctx context.Context, url string) error

	once sync.Once
	name string
	err  error
}

// Database makes a copy of the template and returns its URL. It is dropped when the
// test ends, whoever uses it then.
func (f *Template) Database(tb testing.TB) string {
	tb.Helper()
	s := server(tb)
	f.once.Do(func() {
		f.name = s.newName()
		if f.err = s.admin(context.Background(), "CREATE DATABASE "+f.name+" TEMPLATE template0"); f.err == nil {
			f.err = f.Fill(context.Background(), s.url(f.name))
		}
	})
	if f.err != nil {
		tb.Fatalf("fill the template of databases: %v", f.err)
	}
	return s.database(tb, f.name)
}

// Database makes an empty database in this server and returns its URL. It is dropped
// when the test ends, whoever uses it then.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	return s.database(tb, "template0")
}

func (s *Server) database(tb testing.TB, template string) string {
	tb.Helper()
	name := s.newName()
	if err := s.admin(tb.Context(), "CREATE DATABASE "+name+" TEMPLATE "+template+" STRATEGY FILE_COPY"); err != nil {
		tb.Fatalf("make a database: %v", err)
	}
	tb.Cleanup(func() {
		if err := s.admin(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			tb.Errorf("drop the database of the test: %v", err)
		}
	})
	return s.url(name)
}

func (s *Server) newName() string { return fmt.Sprintf("test_%d", s.databases.Add(1)) }

func (s *Server) url(database string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s", superuser, database, s.dir)
}

// admin runs a statement that is about databases.
func (s *Server) admin(ctx context.Context, statement string) error {
	conn, err := pgx.Connect(ctx, s.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx) //nolint:errcheck // the statement tells
	_, err = conn.Exec(ctx, statement)
	return err
}
