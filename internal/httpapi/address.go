package httpapi

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// clientAddress returns the network address that r comes from: that of the connection,
// or, as long as that is a trusted proxy, the one that it says it speaks for. Each proxy
// adds the address of its own client at the end of X-Forwarded-For, so that the header
// is read from there, and only as far as those who wrote it are trusted: the rest is
// the client's invention. What is not an address ends it too. The zero address is that
// of a connection without one.
func clientAddress(r *http.Request, trusted []netip.Prefix) netip.Addr {
	var addr netip.Addr
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		addr = plain(peer.Addr())
	}
	if !within(trusted, addr) {
		return addr
	}
	hops := strings.Split(strings.Join(r.Header["X-Forwarded-For"], ","), ",")
	for _, hop := range slices.Backward(hops) {
		before, ok := parseHop(strings.TrimSpace(hop))
		if !ok {
			break
		}
		addr = before
		if !within(trusted, addr) {
			break
		}
	}
	return addr
}

func within(prefixes []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// parseHop reads an address, which some proxies write in brackets or with a port.
func parseHop(hop string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(hop); err == nil {
		return plain(withPort.Addr()), true
	}
	if bare, ok := strings.CutPrefix(hop, "["); ok {
		hop = strings.TrimSuffix(bare, "]")
	}
	addr, err := netip.ParseAddr(hop)
	return plain(addr), err == nil
}

// plain gives an address its one form: an IPv4 address may come as one of IPv6.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// networkOf returns what an address is counted as: whoever has one address of IPv6 has
// the 2^64 of its network.
func networkOf(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	return netip.PrefixFrom(addr, 64).Masked().Addr()
}
