package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sys/unix"
)

// connectTimeout bounds the making of a connection, unless the URL says otherwise.
const connectTimeout = 5 * time.Second

func isURL(database string) bool {
	return strings.HasPrefix(database, "postgres://") || strings.HasPrefix(database, "postgresql://")
}

// urlName is a URL without its user, its password and its parameters, which may hold
// a password, too.
func urlName(text string) string {
	u, err := url.Parse(text)
	if err != nil || strings.Contains(u.Path, "@") { // then a part of the password may stand anywhere
		return "postgres://..."
	}
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// CheckURL tells what is wrong with the URL of a PostgreSQL database. It does not
// connect. Its error holds no password.
func CheckURL(text string) error {
	_, err := parseURL(text)
	return err
}

func parseURL(text string) (*pgx.ConnConfig, error) {
	u, err := url.Parse(text)
	if err != nil || !isURL(text) || strings.Contains(u.Path, "@") {
		return nil, errors.New("this is no URL such as postgres://user:password@host:5432/name; in a password, write %40 for @, %2F for / and so on")
	}
	config, err := pgx.ParseConfig(text)
	if err != nil {
		return nil, fmt.Errorf("the URL cannot be used: %s", cause(err, u))
	}
	given := u.Query()
	if err := checkTLS(config, given.Has("sslmode")); err != nil {
		return nil, err
	}
	if !given.Has("connect_timeout") {
		config.ConnectTimeout = connectTimeout
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "assay"
	}
	config.DialFunc = dial
	return config, nil
}

// cause is what pgx says is wrong with a URL, without the URL and its password.
func cause(err error, u *url.URL) string {
	inner := errors.Unwrap(err)
	if inner == nil {
		return "one of its parts is wrong"
	}
	text := inner.Error()
	password, _ := u.User.Password()
	for _, secret := range []string{password, u.Query().Get("password"), u.Query().Get("sslpassword")} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "xxxxx")
		}
	}
	return text
}

// checkTLS refuses to speak plain text to another machine, unless it was asked to.
func checkTLS(config *pgx.ConnConfig, asked bool) error {
	if asked || os.Getenv("PGSSLMODE") != "" || local(config.Host) {
		return nil
	}
	return fmt.Errorf("the URL must say how the connection to %s is protected: add ?sslmode=verify-full (and &sslrootcert=FILE), or ?sslmode=disable when the network between is yours alone", config.Host)
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasPrefix(host, "/") || ip != nil && ip.IsLoopback()
}

// dial connects so that a server that went away without a word is noticed within half
// a minute, and not when the kernel gives up.
func dial(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 10 * time.Second, Interval: 5 * time.Second, Count: 3}}
	if strings.HasPrefix(network, "tcp") {
		d.Control = func(_, _ string, c syscall.RawConn) error {
			var failed error
			err := c.Control(func(fd uintptr) {
				failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int((25 * time.Second).Milliseconds()))
			})
			return errors.Join(err, failed)
		}
	}
	return d.DialContext(ctx, network, addr)
}
