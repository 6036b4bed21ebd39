package app

import (
	"fmt"
	"net/netip"
	"strings"

	"assay/internal/httpapi"
)

// rateLimits returns how often clients may ask.
func (c Config) rateLimits() httpapi.RateLimits {
	return httpapi.RateLimits{PerKey: c.RateLimitPerKey, PerAddress: c.RateLimitPerAddress, AuthPerMinute: c.RateLimitAuthPerMinute}
}

// validateRate takes any negative number for no limit.
func validateRate(key string, got int) error {
	if got < 0 {
		return nil
	}
	return within(key, got, 1, 1_000_000)
}

func (c Config) validateProxies() error {
	_, err := c.trustedProxies()
	return err
}

// trustedProxies parses the list of networks and addresses.
func (c Config) trustedProxies() ([]netip.Prefix, error) {
	var all []netip.Prefix
	for text := range strings.SplitSeq(c.TrustedProxies, ",") {
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		p, err := netip.ParsePrefix(text)
		if addr, bare := netip.ParseAddr(text); bare == nil && addr.Zone() == "" {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		switch {
		case err != nil || p.Addr().Is4In6():
			return nil, fmt.Errorf("trusted_proxies: %q is neither an address nor a network, such as 10.0.0.0/8", text)
		case p.Bits() == 0:
			return nil, fmt.Errorf("trusted_proxies: %s is everybody, and anybody could claim any address; name the proxies", text)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
