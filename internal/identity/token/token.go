// Package token makes and checks access tokens: JWTs (RFC 7519) in the manner of
// RFC 9068, signed with EdDSA by keys of the server's own.
//
// A token says who logged in, and in which login; whether that login still opens
// anything is not in it. Everything that a token may choose is pinned: one algorithm,
// one type, one issuer, one audience, and no header beside alg, kid and typ, so that
// nobody can bring a key along.
package token

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"assay"
)

// Lifetime is how long an access token opens anything.
const Lifetime = time.Hour

const (
	tokenType = "at+jwt" // RFC 9068, section 2.1
	leeway    = 5 * time.Second
	// maxBytes bounds a token. Ours have some 500 bytes, and up to twice the issuer's.
	maxBytes = 4 << 10
	maxKeyID = 64
	idPrefix = "tok_"
)

// Config is what an Authority is made of.
type Config struct {
	Keys     *Keyring         // required
	Issuer   string           // required; the server as it is known to the world
	Audience string           // required; the API that the tokens are for
	Now      func() time.Time // Defaults to time.Now
}

// Authority makes and checks access tokens. It is safe for concurrent use.
type Authority struct {
	cfg    Config
	parser *jwt.Parser
}

// NewAuthority returns an Authority.
func NewAuthority(c Config) (*Authority, error) {
	if c.Keys == nil || c.Issuer == "" || c.Audience == "" {
		return nil, errors.New("access tokens need keys, an issuer and an audience")
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Authority{cfg: c, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(c.Issuer), jwt.WithAudience(c.Audience),
		jwt.WithExpirationRequired(), jwt.WithNotBeforeRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(c.Now), jwt.WithStrictDecoding(),
	)}, nil
}

// Claims is what an access token says.
type Claims struct {
	UserID  string
	LoginID string
}

// claims is what travels.
type claims struct {
	jwt.RegisteredClaims
	LoginID string `json:"sid"`
}

// Issue makes a token that lives for Lifetime, or until the time end if that is
// earlier. It returns when the token expires, to the second.
func (a *Authority) Issue(c Claims, end time.Time) (token string, expires time.Time, err error) {
	now := a.cfg.Now().UTC()
	expires = now.Add(Lifetime)
	if end.Before(expires) {
		expires = end
	}
	expires = expires.UTC().Truncate(time.Second)
	t := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: assay.NewID(idPrefix), Issuer: a.cfg.Issuer, Audience: jwt.ClaimStrings{a.cfg.Audience}, Subject: c.UserID,
			IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now), ExpiresAt: jwt.NewNumericDate(expires),
		},
		LoginID: c.LoginID,
	})
	id, private := a.cfg.Keys.signer()
	t.Header["typ"], t.Header["kid"] = tokenType, id
	token, err = t.SignedString(private)
	if err != nil {
		return "", time.Time{}, fmt.Errorf("sign an access token: %w", err)
	}
	return token, expires, nil
}

// Check returns what a token says: an error, which says why and is for the log alone,
// unless this Authority's keys signed it and it lives.
func (a *Authority) Check(token string) (Claims, error) {
	if len(token) > maxBytes {
		return Claims{}, fmt.Errorf("check an access token: it has %d bytes", len(token))
	}
	var c claims
	if _, err := a.parser.ParseWithClaims(token, &c, a.keyOf); err != nil {
		return Claims{}, fmt.Errorf("check an access token: %w", err)
	}
	if c.Subject == "" || c.LoginID == "" {
		return Claims{}, errors.New("check an access token: it names nobody")
	}
	return Claims{UserID: c.Subject, LoginID: c.LoginID}, nil
}

// keyOf returns the key that a token's header names.
func (a *Authority) keyOf(t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	if t.Header["typ"] != tokenType || kid == "" || len(kid) > maxKeyID {
		return nil, errors.New("the header is not one of an access token")
	}
	if len(t.Header) != 3 { // alg, kid, typ: no jwk, jku, x5u, crit ...
		return nil, errors.New("the header says more than that of an access token")
	}
	public, ok := a.cfg.Keys.checker(kid)
	if !ok {
		return nil, errors.New("no key of this server signed it")
	}
	return public, nil
}
