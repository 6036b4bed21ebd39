package httpapi

import (
	"net/http/httptest"
	"net/netip"
	"testing"
)

func TestClientAddressIsTheLastThatTrustVouchesFor(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8:1::/48")}
	for name, tt := range map[string]struct {
		peer  string
		lines []string
		want  string
	}{
		"no proxy":                      {"198.51.100.1:5000", nil, "198.51.100.1"},
		"IPv6":                          {"[2001:db8::5]:5000", nil, "2001:db8::5"},
		"IPv4 in IPv6":                  {"[::ffff:198.51.100.1]:5000", nil, "198.51.100.1"},
		"a link's zone":                 {"[fe80::1%eth0]:5000", nil, "fe80::1"},
		"no address":                    {"@", nil, "invalid IP"},
		"no address says it is another": {"@", []string{"203.0.113.9"}, "invalid IP"},
		"a client's own header":         {"198.51.100.1:5000", []string{"203.0.113.9"}, "198.51.100.1"},
		"a client's own, trusted":       {"198.51.100.1:5000", []string{"10.0.0.1"}, "198.51.100.1"},
		"a proxy":                       {"10.1.2.3:80", []string{"203.0.113.9"}, "203.0.113.9"},
		"a proxy in IPv6":               {"[2001:db8:1::2]:80", []string{"2001:db8:2::9"}, "2001:db8:2::9"},
		"a proxy in IPv4 in IPv6":       {"[::ffff:10.1.2.3]:80", []string{"203.0.113.9"}, "203.0.113.9"},
		"a proxy that says nothing":     {"10.1.2.3:80", nil, "10.1.2.3"},
		"what the client invented":      {"10.1.2.3:80", []string{"192.0.2.99, 203.0.113.9"}, "203.0.113.9"},
		"invented in a line of its own": {"10.1.2.3:80", []string{"192.0.2.99", "203.0.113.9"}, "203.0.113.9"},
		"invented, as of a proxy":       {"10.1.2.3:80", []string{"192.0.2.99, 10.9.9.9, 203.0.113.9"}, "203.0.113.9"},
		"invented nonsense":             {"10.1.2.3:80", []string{"<script>, 203.0.113.9"}, "203.0.113.9"},
		"two proxies":                   {"10.1.2.3:80", []string{"192.0.2.99, 203.0.113.9, 192.0.2.7"}, "203.0.113.9"},
		"two proxies, a line each":      {"10.1.2.3:80", []string{"203.0.113.9", "192.0.2.7"}, "203.0.113.9"},
		"nothing but proxies":           {"10.1.2.3:80", []string{"10.7.7.7, 192.0.2.7"}, "10.7.7.7"},
		"with a port":                   {"10.1.2.3:80", []string{"203.0.113.9:4711"}, "203.0.113.9"},
		"IPv6 with a port":              {"10.1.2.3:80", []string{"[2001:db8::9]:4711"}, "2001:db8::9"},
		"IPv6 in brackets":              {"10.1.2.3:80", []string{"[2001:db8::9]"}, "2001:db8::9"},
		"mapped":                        {"10.1.2.3:80", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		"spaces":                        {"10.1.2.3:80", []string{"  203.0.113.9\t"}, "203.0.113.9"},
		"a name":                        {"10.1.2.3:80", []string{"203.0.113.9, unknown"}, "10.1.2.3"},
		"an empty place":                {"10.1.2.3:80", []string{"203.0.113.9,"}, "10.1.2.3"},
		"an empty line":                 {"10.1.2.3:80", []string{""}, "10.1.2.3"},
		"not quite an address":          {"10.1.2.3:80", []string{"203.0.113.999"}, "10.1.2.3"},
		"a name before a proxy":         {"10.1.2.3:80", []string{"unknown, 192.0.2.7"}, "192.0.2.7"},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr, r.Header["X-Forwarded-For"] = tt.peer, tt.lines
			if got := clientAddress(r, trusted).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestNobodyIsTrustedUnlessConfigured(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = "127.0.0.1:5000"
	r.Header.Set("X-Forwarded-For", "203.0.113.9")
	if got := clientAddress(r, nil).String(); got != "127.0.0.1" {
		t.Errorf("got %s", got)
	}
}

func TestAddressesOfOneNetworkCountTogether(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "192.0.2.2", false},
	} {
		if got := networkOf(netip.MustParseAddr(tt.a)) == networkOf(netip.MustParseAddr(tt.b)); got != tt.same {
			t.Errorf("%s and %s count together: %t", tt.a, tt.b, got)
		}
	}
	if networkOf(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}
