package pgtest

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Cut is what a Proxy does with the connection of a statement.
type Cut int

// What a Proxy does: nothing; the server does not get the statement; the server does it, and
// its answer does not arrive.
const (
	Pass Cut = iota
	CutBefore
	CutAfter
)

// Proxy stands between a store and its server, and cuts connections at chosen statements.
type Proxy struct {
	URL string

	dir      string // of its own socket
	network  string
	server   string // its address
	listener net.Listener
	work     sync.WaitGroup

	mu     sync.Mutex
	choose func(statement string) Cut
	closed bool
	open   map[net.Conn]bool // and whether it is a client's
	left   chan struct{}     // closed by Forget; nil unless Leave was called
}

// NewProxy returns a proxy in front of a database of this package. It ends with the test.
func NewProxy(tb testing.TB, database string) *Proxy {
	tb.Helper()
	p, err := OpenProxy(database)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// OpenProxy returns a proxy in front of the database of a URL, for who has no test: of a
// server behind a socket, or one that speaks TCP in clear text.
func OpenProxy(database string) (*Proxy, error) {
	u, err := url.Parse(database)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("/tmp", "assay-proxy-") // the name of a socket is short
	if err != nil {
		return nil, err
	}
	const socket = ".s.PGSQL.5432"
	p := &Proxy{dir: dir, open: map[net.Conn]bool{}}
	if p.network, p.server = "unix", filepath.Join(u.Query().Get("host"), socket); u.Host != "" {
		p.network, p.server = "tcp", net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "5432"))
	}
	if p.listener, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	u.Host, u.RawQuery = "", url.Values{"host": {dir}}.Encode()
	p.URL = u.String()
	p.work.Go(p.accept)
	return p, nil
}

// Close cuts all connections and ends the proxy.
func (p *Proxy) Close() error {
	p.listener.Close() // nobody connects any more
	p.Away(true)
	p.Forget()
	p.work.Wait()
	return os.RemoveAll(p.dir)
}

// Choose says what is done with statements from now on; nil lets all pass.
func (p *Proxy) Choose(choose func(statement string) Cut) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose = choose
}

// Once cuts at the next statement that begins with a word, and lets those that follow pass.
func (p *Proxy) Once(word string, cut Cut) {
	done := false
	p.Choose(func(statement string) Cut {
		if done || !strings.HasPrefix(strings.ToLower(statement), word) {
			return Pass
		}
		done = true
		return cut
	})
}

// Away cuts all connections and takes no new ones, until it is called with false.
func (p *Proxy) Away(away bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.setAway(away)
}

func (p *Proxy) setAway(away bool) {
	p.closed = away
	for conn := range p.open {
		if away {
			conn.Close() // its copiers end
		}
	}
}

// Leave cuts all connections such that the server does not notice, until Forget is called. New
// ones are taken.
func (p *Proxy) Leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = make(chan struct{})
	for conn, isClient := range p.open {
		if isClient {
			conn.Close() // that is the cut
		}
	}
}

// Forget lets the server notice.
func (p *Proxy) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left != nil {
		close(p.left)
		p.left = nil
	}
}

func (p *Proxy) cutAt(statement string) Cut {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.choose == nil {
		return Pass
	}
	return p.choose(statement)
}

// CutAndAway is a choice that cuts at the first statement that begins with a word, and after
// it takes no new connections.
func (p *Proxy) CutAndAway(word string) {
	p.Choose(func(statement string) Cut {
		if !strings.HasPrefix(strings.ToLower(statement), word) {
			return Pass
		}
		p.closed = true // the lock is held
		return CutAfter
	})
}

func (p *Proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.work.Go(func() { p.serve(conn) })
	}
}

// keep notes an open connection; false when the proxy is away.
func (p *Proxy) keep(conn net.Conn, isClient bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.open[conn] = isClient
	}
	return !p.closed
}

func (p *Proxy) drop(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
	conn.Close() // it is over
}

func (p *Proxy) serve(client net.Conn) {
	defer p.drop(client)
	if !p.keep(client, true) {
		return
	}
	server, err := net.Dial(p.network, p.server)
	if err != nil {
		return
	}
	defer p.drop(server)
	if !p.keep(server, false) {
		return
	}
	l := &link{proxy: p, client: client, server: server, texts: map[string]string{}, bound: ""}
	var answers sync.WaitGroup
	answers.Go(l.answers)
	l.requests() //nolint:errcheck // either side has ended
	p.mu.Lock()
	left := p.left
	p.mu.Unlock()
	if left != nil {
		<-left
	}
	if !l.isCut() {
		server.Close() // the other copier ends
	}
	answers.Wait()
}

// link is one connection to the server.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	texts          map[string]string // of prepared statements, by name
	bound          string            // the statement that is executed next

	mu  sync.Mutex
	cut bool // answers do not arrive any more
}

func (l *link) isCut() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.cut
}

var errCut = errors.New("cut")

// requests copies what the client sends. The first message has no kind.
func (l *link) requests() error {
	first, err := message(l.client, false)
	for err == nil {
		if _, err = l.server.Write(first); err == nil {
			if first, err = message(l.client, true); err == nil {
				err = l.look(first)
			}
		}
	}
	return err
}

// look finds the statement in a message, and cuts if it is to be cut there. What is to be
// done before the cut is sent to the server, with the end of its message.
func (l *link) look(m []byte) error {
	word := func(from int) (string, int) {
		n := max(0, bytes.IndexByte(m[from:], 0))
		return string(m[from : from+n]), from + n + 1
	}
	statement := ""
	switch m[0] {
	case 'Q':
		statement, _ = word(5)
	case 'P':
		name, next := word(5)
		l.texts[name], _ = word(next)
	case 'B':
		_, next := word(5)
		name, _ := word(next)
		l.bound = l.texts[name]
	case 'E':
		statement = l.bound
	}
	if statement == "" {
		return nil
	}
	switch l.proxy.cutAt(statement) {
	case CutBefore:
		l.client.Close() // that is the cut
		return errCut
	case CutAfter:
		l.mu.Lock()
		l.cut = true
		l.mu.Unlock()
		if m[0] == 'E' { // the client has sent the end of its message with it
			m = append(m, 'S', 0, 0, 0, 4)
		}
		_, err := l.server.Write(m)
		return errors.Join(err, errCut)
	}
	return nil
}

// answers copies what the server sends, until a cut: then it waits for the server to have
// done what it was sent.
func (l *link) answers() {
	defer l.client.Close() // that is the cut
	for {
		m, err := message(l.server, true)
		if err != nil {
			return
		}
		if l.isCut() {
			if m[0] == 'Z' { // ready for the next
				return
			}
			continue
		}
		if _, err := l.client.Write(m); err != nil {
			l.server.Close() // nobody asks any more
			return
		}
	}
}

// message reads a message of the protocol with its head.
func message(from io.Reader, kind bool) ([]byte, error) {
	head := make([]byte, 4, 5)
	if kind {
		head = head[:5]
	}
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	length := binary.BigEndian.Uint32(head[len(head)-4:])
	if length < 4 || length > 1<<26 {
		return nil, errors.New("this is no message of PostgreSQL")
	}
	m := slices.Concat(head, make([]byte, length-4))
	_, err := io.ReadFull(from, m[len(head):])
	return m, err
}
