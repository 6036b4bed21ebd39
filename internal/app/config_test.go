package app

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"assay"
)

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "assay.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// environment is an os.LookupEnv of these variables.
func environment(vars map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func TestSettingsPrecedence(t *testing.T) {
	file := writeConfig(t, "# all of it\nlisten: file:1\nlog_level: debug\nmax_sessions: 7\nresources:\n  cpus: 0.5\n  memory_mb: 512\nagent: null\n")
	s, err := LoadSettings(Sources{
		File: file,
		Env: environment(map[string]string{
			"ASSAY_LISTEN":           "env:1",
			"ASSAY_MAX_SESSIONS":     "8",
			"ASSAY_RESOURCES_CPUS":   "1.5",
			"ASSAY_SHUTDOWN_TIMEOUT": "90s",
			"ASSAY_DESTROY_ON_EXIT":  "true",
			"ASSAY_LOG_FORMAT":       "",
		}),
		Flags: Config{Listen: "flag:1", Resources: Resources{PIDs: 99}, DataDir: "not given"},
		Given: []string{"listen", "resources-pids", "destroy-on-exit", "json"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Listen: "flag:1", LogLevel: "debug", MaxSessions: 8, ShutdownTimeout: 90 * time.Second,
		Resources: Resources{CPUs: 1.5, MemoryMB: 512, PIDs: 99},
	}.WithDefaults()
	if diff := cmp.Diff(want, s.Config); diff != "" {
		t.Errorf("config differs (-want +got):\n%s", diff)
	}
	for key, want := range map[string]string{
		"listen":              "--listen",
		"log_level":           "file " + file + ":3",
		"max_sessions":        "ASSAY_MAX_SESSIONS",
		"resources.cpus":      "ASSAY_RESOURCES_CPUS",
		"resources.memory_mb": "file " + file + ":7",
		"resources.pids":      "--resources-pids",
		"destroy_on_exit":     "--destroy-on-exit", // set back to false
		"log_format":          "default",
		"data_dir":            "default",
		"agent":               "default",
	} {
		if got := s.Source[key]; got != want {
			t.Errorf("%s comes from %q, want %q", key, got, want)
		}
	}
}

func TestSettingsRefuseWhatTheyDoNotUnderstand(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		env  map[string]string
		want []string
	}{
		"unknown keys": {
			file: "listen: x:1\nlisten_at: y\nresources:\n  gpus: 1\n",
			want: []string{"assay.yaml:2: there is no setting listen_at", "assay.yaml:4: there is no setting resources.gpus"},
		},
		"wrong kinds": {
			file: "max_sessions: many\nlisten: [a]\nresources: 3\nshutdown_timeout: 5\nid_base: -1\n",
			want: []string{
				`assay.yaml:1: max_sessions: "many" is not a whole number`,
				"assay.yaml:2: listen: want a single value",
				"assay.yaml:3: want settings",
				`assay.yaml:4: shutdown_timeout: "5" is not a time`,
				`assay.yaml:5: id_base: "-1" is not`,
			},
		},
		"a mask":      {file: "github_client_secret: \"" + mask + "\"\n", want: []string{"assay.yaml:1: github_client_secret: this is no secret"}},
		"given twice": {file: "listen: a\nlisten: b\n", want: []string{"assay.yaml:2: listen is set a second time"}},
		"a list":      {file: "- listen\n", want: []string{"assay.yaml:1: want settings"}},
		"not YAML":    {file: "listen: [\n", want: []string{"assay.yaml: yaml: line "}},
		"environment": {
			env:  map[string]string{"ASSAY_MAX_SESSIONS": "many", "ASSAY_INSECURE_HTTP": "yes please", "ASSAY_RESOURCES_CPUS": "two"},
			want: []string{`ASSAY_MAX_SESSIONS: "many"`, `ASSAY_INSECURE_HTTP: "yes please"`, `ASSAY_RESOURCES_CPUS: "two"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := LoadSettings(Sources{File: writeConfig(t, c.file), Env: environment(c.env)})
			if err == nil {
				t.Fatal("it was accepted")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is not in:\n%v", want, err)
				}
			}
		})
	}
	if _, err := LoadSettings(Sources{File: filepath.Join(t.TempDir(), "none.yaml")}); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestWrittenSettingsCanBeReadAgain(t *testing.T) {
	var out bytes.Buffer
	first, err := LoadSettings(Sources{Flags: Config{Listen: "[::1]:0", BaseURL: "https://a.example/x: y # z"}, Given: []string{"listen", "base-url"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Write(&out); err != nil {
		t.Fatal(err)
	}
	again, err := LoadSettings(Sources{File: writeConfig(t, out.String())})
	if err != nil {
		t.Fatalf("%v in:\n%s", err, out.String())
	}
	if diff := cmp.Diff(first.Config, again.Config); diff != "" {
		t.Errorf("config differs (-want +got):\n%s", diff)
	}
	for _, f := range fieldsOf(reflect.ValueOf(first.Config), "") {
		if !strings.Contains(out.String(), "# "+first.Source[f.key]+"\n") {
			t.Errorf("the source of %s is not shown", f.key)
		}
	}
}

func TestSecretsAreMasked(t *testing.T) {
	c := struct {
		Token string `yaml:"token" secret:"true"`
		Unset string `yaml:"unset" secret:"true"`
	}{Token: "hunter2"}
	var out bytes.Buffer
	if err := writeFields(&out, fieldsOf(reflect.ValueOf(c), ""), nil); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "hunter2") || !strings.Contains(out.String(), mask) || strings.Count(out.String(), mask) != 1 {
		t.Errorf("got:\n%s", out.String())
	}
}

// TestSettingsHaveOneName: the flag that the command line derives from a field is the
// key with dashes.
func TestSettingsHaveOneName(t *testing.T) {
	var check func(typ reflect.Type, keys, flags string)
	check = func(typ reflect.Type, keys, flags string) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			key := keys + f.Tag.Get("yaml")
			if f.Type.Kind() == reflect.Struct {
				check(f.Type, key+".", f.Tag.Get("prefix"))
				continue
			}
			if flag := flags + f.Tag.Get("name"); flag != (field{key: key}).flag() {
				t.Errorf("setting %s has the flag --%s", key, flag)
			}
			if f.Tag.Get("help") == "" {
				t.Errorf("setting %s has no help", key)
			}
		}
	}
	check(reflect.TypeFor[Config](), "", "")
}

func TestValidate(t *testing.T) {
	if err := (Config{}).WithDefaults().Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for name, c := range map[string]struct {
		config Config
		want   string // "" when it is fine
	}{
		"all interfaces":                     {Config{Listen: "0.0.0.0:80"}, "listen: 0.0.0.0:80 is reachable from other machines"},
		"no host":                            {Config{Listen: ":80"}, "--insecure-http"},
		"IPv6":                               {Config{Listen: "[::]:80"}, "reachable"},
		"a name":                             {Config{Listen: "assay.example.org:80"}, "reachable"},
		"insecure, said so":                  {Config{Listen: ":80", InsecureHTTP: true}, ""},
		"TLS":                                {Config{Listen: ":443", TLSCert: "c", TLSKey: "k"}, ""},
		"IPv6 loopback":                      {Config{Listen: "[::1]:0"}, ""},
		"other loopback":                     {Config{Listen: "127.9.9.9:0"}, ""},
		"localhost":                          {Config{Listen: "localhost:0"}, ""},
		"no port":                            {Config{Listen: "localhost"}, "is not HOST:PORT"},
		"half of TLS":                        {Config{TLSCert: "c"}, "tls_cert and tls_key"},
		"metrics for all":                    {Config{MetricsListen: ":9090"}, "metrics_listen: :9090 is reachable"},
		"metrics for all, TLS":               {Config{MetricsListen: ":9090", TLSCert: "c", TLSKey: "k"}, "metrics_listen"},
		"metrics":                            {Config{MetricsListen: "127.0.0.1:0"}, ""},
		"URL":                                {Config{BaseURL: "https://assay.example.org/tasks"}, ""},
		"URL of another kind":                {Config{BaseURL: "ftp://a"}, "base_url"},
		"URL without scheme":                 {Config{BaseURL: "assay.example.org"}, "base_url"},
		"URL with a password":                {Config{BaseURL: "https://a:b@c"}, "base_url"},
		"URL with a slash":                   {Config{BaseURL: "https://c/"}, "base_url"},
		"log format":                         {Config{LogFormat: "xml"}, "log_format"},
		"log level":                          {Config{LogLevel: "loud"}, "log_level"},
		"no idle searches":                   {Config{Alterations: "off"}, ""},
		"alterations for ever":               {Config{AlterationsShown: -1}, ""},
		"alterations for less":               {Config{AlterationsShown: -2}, "alterations_shown: -2 is not within -1 and 1073741824"},
		"searches at night":                  {Config{Alterations: "nightly"}, "alterations: \"nightly\" is none of idle, off"},
		"ids of the system":                  {Config{IDBase: 1}, "id_base"},
		"too few ids":                        {Config{IDSize: 10}, "id_size"},
		"ids beyond the last":                {Config{IDBase: 4294902000}, "id_base and id_size"},
		"negative":                           {Config{MaxSessions: -1}, "max_sessions: -1 is not within 1 and"},
		"more than agents take":              {Config{MaxCommandsPerSession: 65}, "max_commands_per_session"},
		"a very long stop":                   {Config{ShutdownTimeout: 24 * time.Hour}, "shutdown_timeout: 24h0m0s"},
		"too few processes for a sandbox":    {Config{Resources: Resources{PIDs: 8}}, "resources.pids"},
		"too few processes for the commands": {Config{MaxCommandsPerSession: 64, Resources: Resources{PIDs: 64}}, "max_commands_per_session"},
		"one address for both":               {Config{Listen: "127.0.0.1:9", MetricsListen: "127.0.0.1:9"}, "metrics_listen"},
		"a sandbox of no memory":             {Config{Resources: Resources{MemoryMB: 1}}, "resources.memory_mb"},
		"a body of nothing":                  {Config{MaxBodyBytes: 1}, "max_body_bytes"},
		"an edit of nothing":                 {Config{MaxEditBytes: 1}, "max_edit_bytes"},
		"no limits of rate":                  {Config{RateLimitPerKey: -1, RateLimitPerAddress: -5, RateLimitAuthPerMinute: -1}, ""},
		"a rate beyond measure":              {Config{RateLimitPerKey: 1_000_001}, "rate_limit_per_key: 1000001 is not within 1 and"},
		"another one":                        {Config{RateLimitPerAddress: 1_000_001}, "rate_limit_per_address"},
		"logins beyond measure":              {Config{RateLimitAuthPerMinute: 1_000_001}, "rate_limit_auth_per_minute"},
		"proxies":                            {Config{TrustedProxies: "10.0.0.0/8, 192.0.2.7,2001:db8::/32, ::1"}, ""},
		"a proxy by its name":                {Config{TrustedProxies: "::1,proxy.example.org"}, `trusted_proxies: "proxy.example.org" is neither`},
		"a proxy with its port":              {Config{TrustedProxies: "10.0.0.1:80"}, "trusted_proxies"},
		"a proxy on a link":                  {Config{TrustedProxies: "fe80::1%eth0"}, "trusted_proxies"},
		"a proxy in two forms":               {Config{TrustedProxies: "::ffff:10.0.0.1"}, "trusted_proxies"},
		"trust in everybody":                 {Config{TrustedProxies: "0.0.0.0/0"}, "0.0.0.0/0 is everybody"},
		"half of an OAuth app":               {Config{GitHubClientID: "id"}, "github_client_id and github_client_secret"},
		"an OAuth app":                       {Config{GitHubClientID: "id", GitHubClientSecret: "s", GitHubBaseURL: "https://github.example.org"}, ""},
		"GitHub in clear text":               {Config{GitHubBaseURL: "http://github.example.org"}, "github_base_url: http://github.example.org would carry secrets"},
		"a GitHub of the tests":              {Config{GitHubBaseURL: "http://127.0.0.1:1"}, ""},
		"GitHub with a slash":                {Config{GitHubBaseURL: "https://github.example.org/"}, "without a slash"},
		"ways back":                          {Config{GitHubRedirectURIs: "https://a.example/login, http://localhost:3000/login"}, ""},
		"a way back to nowhere":              {Config{GitHubRedirectURIs: "https://a.example/login,"}, "github_redirect_uris"},
		"a way back in the clear":            {Config{GitHubRedirectURIs: "http://a.example/login"}, "clear text"},
		"a way back to a part":               {Config{GitHubRedirectURIs: "https://a.example/#login"}, "fragment"},
		"no welcome":                         {Config{WelcomeCreditCents: "0"}, ""},
		"half a cent of welcome":             {Config{WelcomeCreditCents: "0.5"}, "welcome_credit_cents"},
		"a negative welcome":                 {Config{WelcomeCreditCents: "-1"}, "welcome_credit_cents"},
		"a fortune of a welcome":             {Config{WelcomeCreditCents: "100000000"}, "welcome_credit_cents"},
		"an issuer with a blank":             {Config{TokenIssuer: "a b"}, "token_issuer"},
		"a lifetime of centuries":            {Config{MaxTTLMinutes: 1 << 30}, "max_ttl_minutes"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.config.WithDefaults().Validate()
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	several := Config{Listen: ":80", LogLevel: "loud"}.WithDefaults().Validate()
	if several == nil || strings.Count(several.Error(), "\n") != 1 {
		t.Errorf("two faults in one answer: got %v", several)
	}
}

func TestNoWelcomeCreditCanBeSaid(t *testing.T) {
	for text, want := range map[string]assay.MicroUSD{"": assay.FromCents(500), "0": 0, "1234": assay.FromCents(1234)} {
		s, err := LoadSettings(Sources{Env: environment(map[string]string{"ASSAY_WELCOME_CREDIT_CENTS": text})})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Config.welcomeCredit(); err != nil || got != want {
			t.Errorf("%q: %v %v, want %v", text, got, err, want)
		}
	}
}

func TestWhereBrowsersComeBackTo(t *testing.T) {
	for uris, want := range map[string][]string{
		"":                                   {"https://assay.test/login"},
		"https://a.test/in, https://b.test/": {"https://a.test/in", "https://b.test/"},
	} {
		if diff := cmp.Diff(want, Config{GitHubRedirectURIs: uris}.redirectURIs("https://assay.test")); diff != "" {
			t.Error(diff)
		}
	}
}
