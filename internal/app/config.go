package app

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/url"
	"runtime"
	"strings"
	"time"

	"assay"
	"assay/internal/github"
	"assay/internal/image"
	"assay/internal/sandbox"
	"assay/internal/sandbox/oci"
	"assay/internal/store"
)

// Config is every setting of a server. Each has one name in three places: the key of
// its yaml tag in a file, that in upper case behind ASSAY_ in the environment, and
// that with dashes as a flag. A zero value is the default.
type Config struct {
	// Listen is the address of the API. Port 0 is a free one. Defaults to 127.0.0.1:8080.
	Listen string `yaml:"listen" name:"listen" placeholder:"HOST:PORT" help:"Address of the API; port 0 is a free one (127.0.0.1:8080)."`
	// DataDir is where the server keeps everything. Defaults to /var/lib/assay.
	DataDir string `yaml:"data_dir" name:"data-dir" placeholder:"DIR" help:"Where the server keeps everything (/var/lib/assay)."`
	// DatabaseURL is a PostgreSQL database, which then holds the truth in place of
	// assay.db in the data directory. It may hold a password. Defaults to "": none.
	DatabaseURL string `yaml:"database_url" name:"database-url" secret:"true" placeholder:"URL" help:"PostgreSQL database, postgres://USER@HOST/NAME (a SQLite file in the data directory)."`
	// DatabaseConnections bounds the connections to it. Defaults to 16.
	DatabaseConnections int `yaml:"database_connections" name:"database-connections" placeholder:"N" help:"Connections to PostgreSQL at most (16)."`
	// NewDatabase says that an empty database, or another one than before, is meant for a data
	// directory that was used. Without it, Open refuses: see checkDatabase.
	NewDatabase bool `yaml:"new_database" name:"new-database" help:"Begin with an empty or another database in a data directory that was used before."`
	// BaseURL is how clients reach the server, for links. Defaults to the listener's address.
	BaseURL string `yaml:"base_url" name:"base-url" placeholder:"URL" help:"How clients reach the server, for links in answers (the address it listens at)."`
	// TLSCert and TLSKey are PEM files; together they make the API speak HTTPS.
	TLSCert string `yaml:"tls_cert" name:"tls-cert" placeholder:"FILE" help:"Certificate chain, PEM; with --tls-key the API speaks HTTPS."`
	TLSKey  string `yaml:"tls_key" name:"tls-key" placeholder:"FILE" help:"Private key of --tls-cert, PEM."`
	// InsecureHTTP allows plain HTTP beyond loopback.
	InsecureHTTP bool `yaml:"insecure_http" name:"insecure-http" help:"Allow plain HTTP beyond loopback: something in front does TLS."`
	// MetricsListen is the address of the Prometheus metrics and of profiles. Defaults to "": none.
	MetricsListen string `yaml:"metrics_listen" name:"metrics-listen" placeholder:"HOST:PORT" help:"Address of Prometheus metrics and of profiles (none)."`
	// OTLPEndpoint is the base URL of an OTLP/HTTP receiver of traces. Defaults to what
	// the environment of OpenTelemetry says (OTEL_EXPORTER_OTLP_ENDPOINT), else none.
	OTLPEndpoint string `yaml:"otlp_endpoint" name:"otlp-endpoint" placeholder:"URL" help:"Where traces are sent by OTLP/HTTP, such as http://127.0.0.1:4318 (OTEL_EXPORTER_OTLP_ENDPOINT, else nowhere)."`
	// LogFormat is text or json. Defaults to text.
	LogFormat string `yaml:"log_format" name:"log-format" placeholder:"text|json" help:"Form of the log (text)."`
	// LogLevel is debug, info, warn or error. Defaults to info.
	LogLevel string `yaml:"log_level" name:"log-level" placeholder:"LEVEL" help:"Least level that is logged: debug, info, warn, error (info)."`

	// OCIRuntime is the OCI runtime: a name in PATH or a path. Defaults to runc.
	OCIRuntime string `yaml:"oci_runtime" name:"oci-runtime" placeholder:"PROGRAM" help:"OCI runtime: runc, runsc, or a path (runc)."`
	// Agent is the path of assay-agent. Defaults to the one beside this program.
	Agent string `yaml:"agent" name:"agent" placeholder:"FILE" help:"Path of assay-agent (the one beside this program)."`
	// IDBase is the first id of the host that sandboxes use: their root. IDs from it
	// on must belong to nobody. Defaults to 1879048192, see oci.DefaultIDs.
	IDBase uint32 `yaml:"id_base" name:"id-base" placeholder:"ID" help:"First user and group id that sandboxes use; theirs must be nobody else's (1879048192)."`
	// IDSize is how many ids they use. Defaults to 65536.
	IDSize uint32 `yaml:"id_size" name:"id-size" placeholder:"N" help:"How many ids sandboxes use (65536)."`
	// Resources bounds a sandbox whose sample does not say.
	Resources Resources `yaml:"resources" embed:"" prefix:"resources-"`

	// MaxSessions bounds live sessions. Defaults to 100.
	MaxSessions int `yaml:"max_sessions" name:"max-sessions" placeholder:"N" help:"Live sessions at most (100)."`
	// MaxSessionsPerUser bounds the live sessions of a user. Defaults to 20.
	MaxSessionsPerUser int `yaml:"max_sessions_per_user" name:"max-sessions-per-user" placeholder:"N" help:"Live sessions of a user at most (20)."`
	// MaxCommandsPerSession bounds the running commands of a session; the guest agent
	// takes 64. Defaults to 32.
	MaxCommandsPerSession int `yaml:"max_commands_per_session" name:"max-commands-per-session" placeholder:"N" help:"Running commands of a session at most, up to 64 (32)."`
	// MaxVerifications bounds the verifications that run at once. Defaults to the
	// number of CPUs.
	MaxVerifications int `yaml:"max_verifications" name:"max-verifications" placeholder:"N" help:"Verifications that run at once (the number of CPUs)."`
	// VerdictCache lets the verdict on a work stand for those on the same work.
	VerdictCache bool `yaml:"verdict_cache" name:"verdict-cache" help:"Give the stored verdict when the same work on the same sample is verified again."`
	// Alterations is "idle" when samples that are used are searched for alterations of their
	// tests while no verification waits and a worker is free, and "off" when only assay dataset
	// alterations searches. Defaults to idle.
	Alterations string `yaml:"alterations" name:"alterations" placeholder:"idle|off" help:"Whether the tests of samples that are used are searched for alterations when no verification waits (idle)."`
	// AlterationsShown is how often an alteration is shown in rounds before others are searched
	// in its place, as above; -1 is for ever. Defaults to 300.
	AlterationsShown int `yaml:"alterations_shown" name:"alterations-shown" placeholder:"N" help:"How often an alteration is shown before others are searched in its place, -1 for ever (300)."`
	// Rounds is how many rounds of altered tests judge a work that looks solved, on datasets
	// that do not say, as for the next settings. Defaults to 3.
	Rounds int `yaml:"rounds" name:"rounds" placeholder:"N" help:"Rounds of altered tests that judge a work that looks solved, 1 to 8, where the dataset does not say (3)."`
	// MaxOdds is the chance of who guesses that more rounds are played for. Defaults to 1,
	// which asks for none.
	MaxOdds float64 `yaml:"max_odds" name:"max-odds" placeholder:"X" help:"Chance of who guesses that more rounds are played for, such as 0.01, where the dataset does not say (1)."`
	// RequireAssurance is the least assurance of a verdict that a work is solved. Defaults to
	// uncontrolled.
	RequireAssurance string `yaml:"require_assurance" name:"require-assurance" placeholder:"ASSURANCE" help:"Least assurance of a verdict that a work is solved: uncontrolled, controlled_partial, controlled, blind_partial, blind, where the dataset does not say (uncontrolled)."`
	// Fresh says what true tests are for that nobody has seen. Defaults to inform.
	Fresh string `yaml:"fresh" name:"fresh" placeholder:"inform|require|off" help:"What true tests with other inputs are for, where the dataset does not say (inform)."`
	// Feedback says how much is told of verdicts over the API. Defaults to full.
	Feedback string `yaml:"feedback" name:"feedback" placeholder:"full|verdict" help:"How much is told of a verdict over the API, where the dataset does not say (full)."`
	// MaxTTLMinutes bounds the lifetime that a session may ask for. Defaults to 1440.
	MaxTTLMinutes int `yaml:"max_ttl_minutes" name:"max-ttl-minutes" placeholder:"N" help:"Longest lifetime of a session, minutes (1440)."`
	// MaxBodyBytes bounds the body of a request. Defaults to 1 MiB.
	MaxBodyBytes int64 `yaml:"max_body_bytes" name:"max-body-bytes" placeholder:"N" help:"Largest body of a request, bytes (1048576)."`
	// MaxEditBytes bounds the body of a str_replace. Defaults to 16 MiB.
	MaxEditBytes int64 `yaml:"max_edit_bytes" name:"max-edit-bytes" placeholder:"N" help:"Largest body of a str_replace, bytes (16777216)."`

	// Billing is "on" when sessions cost something, and "off" when they are metered at
	// no price. Defaults to on with Stripe's keys, off without.
	Billing string `yaml:"billing" name:"billing" placeholder:"on|off" help:"Whether sessions cost something (on with Stripe's keys, off without)."`
	// CostPerMinuteCents is the price of a session; parts of a cent are allowed.
	// Defaults to 1.
	CostPerMinuteCents float64 `yaml:"cost_per_minute_cents" name:"cost-per-minute-cents" placeholder:"CENTS" help:"Price of a minute of a session, in cents, such as 0.5 (1)."`
	// DatasetPrices are prices of datasets of their own: NAME=CENTS,NAME=CENTS.
	DatasetPrices string `yaml:"dataset_prices" name:"dataset-prices" placeholder:"NAME=CENTS,..." help:"Prices of a minute of datasets that have their own; 0 is free (none)."`
	// StripeSecretKey and StripeWebhookSecret let the server take payments.
	StripeSecretKey     string `yaml:"stripe_secret_key" name:"stripe-secret-key" placeholder:"KEY" secret:"true" help:"Stripe's secret key; better in the environment or the file (none: no payments)."`
	StripeWebhookSecret string `yaml:"stripe_webhook_secret" name:"stripe-webhook-secret" placeholder:"SECRET" secret:"true" help:"Secret of Stripe's webhook endpoint."`
	// StripeAPIBase is for tests against a server that speaks as Stripe does.
	StripeAPIBase string `yaml:"stripe_api_base" name:"stripe-api-base" placeholder:"URL" help:"Where Stripe's API is (Stripe's)."`
	// PaymentOrigins are those that a checkout may lead back to. Defaults to that of
	// the server itself.
	PaymentOrigins string `yaml:"payment_origins" name:"payment-origins" placeholder:"ORIGIN,..." help:"Origins that a checkout may lead back to, such as https://app.example.org (the server's own)."`
	// RateLimitPerKey bounds the requests a second with one key. Negative is no limit,
	// here and below. Defaults to 1000.
	RateLimitPerKey int `yaml:"rate_limit_per_key" name:"rate-limit-per-key" placeholder:"N" help:"Requests a second with one key at most; -1 is no limit (1000)."`
	// RateLimitPerAddress bounds the requests a second of unknown callers from one
	// network address. Defaults to 200.
	RateLimitPerAddress int `yaml:"rate_limit_per_address" name:"rate-limit-per-address" placeholder:"N" help:"Requests a second without a known key from one address at most; -1 is no limit (200)."`
	// RateLimitAuthPerMinute bounds the logins and refreshes a minute from one network
	// address. Defaults to 20.
	RateLimitAuthPerMinute int `yaml:"rate_limit_auth_per_minute" name:"rate-limit-auth-per-minute" placeholder:"N" help:"Logins and refreshes a minute from one address at most; -1 is no limit (20)."`
	// TrustedProxies are addresses and networks, with commas between them, whose
	// X-Forwarded-For is believed. Defaults to none.
	TrustedProxies string `yaml:"trusted_proxies" name:"trusted-proxies" placeholder:"LIST" help:"Addresses and networks, such as 10.0.0.0/8, of proxies whose X-Forwarded-For is believed (none)."`
	// GitHubClientID and GitHubClientSecret are those of the OAuth app through which
	// people log in. Without them nobody does.
	GitHubClientID     string `yaml:"github_client_id" name:"github-client-id" placeholder:"ID" help:"Client id of the GitHub OAuth app through which people log in (no login)."`
	GitHubClientSecret string `yaml:"github_client_secret" name:"github-client-secret" secret:"true" placeholder:"SECRET" help:"Its secret; better in the environment or a file than here."`
	// GitHubBaseURL is the host of that app. Defaults to https://github.com.
	GitHubBaseURL string `yaml:"github_base_url" name:"github-base-url" placeholder:"URL" help:"GitHub, or the URL of an Enterprise host (https://github.com)."`
	// GitHubRedirectURIs is where GitHub may send browsers back to, with commas between.
	// Defaults to BaseURL and /login.
	GitHubRedirectURIs string `yaml:"github_redirect_uris" name:"github-redirect-uris" placeholder:"URL,..." help:"Where GitHub may send browsers back to; the first is the default (the base URL and /login)."`
	// RequireState refuses logins that did not begin at this server.
	RequireState bool `yaml:"require_state" name:"require-state" help:"Refuse logins that did not begin at this server's own login page."`
	// WelcomeCreditCents is what a user is given at the first login, in whole cents; a
	// text, so that 0 is not the default. Defaults to 500.
	WelcomeCreditCents string `yaml:"welcome_credit_cents" name:"welcome-credit-cents" placeholder:"CENTS" help:"Credit of a user who logs in for the first time, cents; 0 for none (500)."`
	// TokenIssuer is the issuer of access tokens. Defaults to the base URL.
	TokenIssuer string `yaml:"token_issuer" name:"token-issuer" placeholder:"URL" help:"Issuer in access tokens (the base URL)."`

	// UnreachableTimeout is how long a sandbox may not answer, though nothing proves that it
	// is dead, until its session is ended. Defaults to 10 minutes.
	UnreachableTimeout time.Duration `yaml:"unreachable_timeout" name:"unreachable-timeout" placeholder:"TIME" help:"How long a sandbox may not answer until its session is ended as lost (10m)."`
	// ReconcileEvery is how often rows are compared with what is on the host, and how long
	// something may be out of order before it is put right. Defaults to a minute.
	ReconcileEvery time.Duration `yaml:"reconcile_every" name:"reconcile-every" placeholder:"TIME" help:"How often the database is compared with the sandboxes of the host (1m)."`
	// DestroyOnExit ends all sandboxes when the server stops.
	DestroyOnExit bool `yaml:"destroy_on_exit" name:"destroy-on-exit" help:"End all sandboxes when the server stops; otherwise the next start adopts them."`
	// ShutdownTimeout bounds the drain. Defaults to 30 s.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout" name:"shutdown-timeout" placeholder:"TIME" help:"How long a stop waits for what is running (30s)."`
}

// Resources bounds a sandbox.
type Resources struct {
	// CPUs is in cores. Defaults to 2.
	CPUs float64 `yaml:"cpus" name:"cpus" placeholder:"N" help:"Cores of a sandbox whose sample does not say (2)."`
	// MemoryMB is in MiB. Defaults to 4096.
	MemoryMB int64 `yaml:"memory_mb" name:"memory-mb" placeholder:"MIB" help:"Memory of such a sandbox, MiB (4096)."`
	// PIDs counts processes and threads. Defaults to 1024.
	PIDs int64 `yaml:"pids" name:"pids" placeholder:"N" help:"Processes and threads in it (1024)."`
	// DiskMB is what may be written, in MiB. Defaults to 10240.
	DiskMB int64 `yaml:"disk_mb" name:"disk-mb" placeholder:"MIB" help:"What may be written in it, MiB (10240)."`
}

// WithDefaults returns c with its defaults filled in.
func (c Config) WithDefaults() Config {
	setDefault(&c.Listen, "127.0.0.1:8080")
	setDefault(&c.DataDir, "/var/lib/assay")
	setDefault(&c.DatabaseConnections, 16)
	setDefault(&c.LogFormat, "text")
	setDefault(&c.LogLevel, "info")
	setDefault(&c.OCIRuntime, "runc")
	setDefault(&c.IDBase, oci.DefaultIDs.UIDBase)
	setDefault(&c.IDSize, oci.DefaultIDs.Size)
	setDefault(&c.Resources.CPUs, 2)
	setDefault(&c.Resources.MemoryMB, 4096)
	setDefault(&c.Resources.PIDs, 1024)
	setDefault(&c.Resources.DiskMB, 10240)
	setDefault(&c.MaxSessions, 100)
	setDefault(&c.MaxSessionsPerUser, 20)
	setDefault(&c.MaxCommandsPerSession, 32)
	setDefault(&c.MaxVerifications, runtime.NumCPU())
	setDefault(&c.Alterations, "idle")
	setDefault(&c.AlterationsShown, 300)
	defaults := assay.DefaultJudging()
	setDefault(&c.Rounds, defaults.Rounds)
	setDefault(&c.MaxOdds, defaults.MaxOdds)
	setDefault(&c.RequireAssurance, string(defaults.RequireAssurance))
	setDefault(&c.Fresh, string(defaults.Fresh))
	setDefault(&c.Feedback, string(defaults.Feedback))
	setDefault(&c.MaxTTLMinutes, 1440)
	setDefault(&c.MaxBodyBytes, 1<<20)
	setDefault(&c.MaxEditBytes, 16<<20)
	setDefault(&c.Billing, map[bool]string{true: "on", false: "off"}[c.StripeSecretKey != ""])
	setDefault(&c.CostPerMinuteCents, 1)
	setDefault(&c.RateLimitPerKey, 1000)
	setDefault(&c.RateLimitPerAddress, 200)
	setDefault(&c.RateLimitAuthPerMinute, 20)
	setDefault(&c.GitHubBaseURL, github.DefaultBaseURL)
	setDefault(&c.WelcomeCreditCents, "500")
	setDefault(&c.UnreachableTimeout, 10*time.Minute)
	setDefault(&c.ReconcileEvery, time.Minute)
	setDefault(&c.ShutdownTimeout, 30*time.Second)
	return c
}

func setDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// Validate tells everything that is wrong with c, whose defaults are filled in. Each
// message names the setting and the remedy.
func (c Config) Validate() error {
	return errors.Join(
		c.validateListeners(),
		c.validateDatabase(),
		c.validateBaseURL(),
		c.validateTraces(),
		oneOf("log_format", c.LogFormat, "text", "json"),
		oneOf("log_level", c.LogLevel, "debug", "info", "warn", "error"),
		c.validateIDs(),
		within("resources.cpus", c.Resources.CPUs, oci.LeastLimits.CPUs, 1024),
		within("resources.memory_mb", c.Resources.MemoryMB, oci.LeastLimits.MemoryBytes>>20, 1<<24),
		within("resources.pids", c.Resources.PIDs, oci.LeastLimits.PIDs, 1<<22),
		within("resources.disk_mb", c.Resources.DiskMB, max(1, oci.LeastLimits.DiskBytes>>20), 1<<24),
		c.validateTogether(),
		within("max_sessions", c.MaxSessions, 1, 1_000_000),
		within("max_sessions_per_user", c.MaxSessionsPerUser, 1, 1_000_000),
		within("max_commands_per_session", c.MaxCommandsPerSession, 1, 64),
		within("max_verifications", c.MaxVerifications, 1, 1024),
		oneOf("alterations", c.Alterations, "idle", "off"),
		within("alterations_shown", c.AlterationsShown, -1, 1<<30),
		c.judging().Validate(),
		within("max_ttl_minutes", c.MaxTTLMinutes, 1, 365*24*60),
		within("max_body_bytes", c.MaxBodyBytes, 1<<10, 1<<30),
		within("max_edit_bytes", c.MaxEditBytes, 1<<10, 1<<30),
		c.validateBilling(),
		validateRate("rate_limit_per_key", c.RateLimitPerKey),
		validateRate("rate_limit_per_address", c.RateLimitPerAddress),
		validateRate("rate_limit_auth_per_minute", c.RateLimitAuthPerMinute),
		c.validateProxies(),
		c.validateLogin(),
		within("unreachable_timeout", c.UnreachableTimeout, time.Second, 24*time.Hour),
		within("reconcile_every", c.ReconcileEvery, time.Second, time.Hour),
		within("shutdown_timeout", c.ShutdownTimeout, time.Second, time.Hour),
	)
}

// validateListeners refuses to hand out tasks, sandboxes and keys in clear text to a
// network.
func (c Config) validateListeners() error {
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls_cert and tls_key: one is set without the other; set both, or none")
	}
	api := c.validateListener("listen", c.Listen, c.TLSCert != "")
	if c.MetricsListen == "" {
		return api
	}
	return errors.Join(api, c.validateListener("metrics_listen", c.MetricsListen, false))
}

func (c Config) validateListener(key, addr string, tls bool) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("%s: %q is not HOST:PORT, such as 127.0.0.1:8080", key, addr)
	}
	if loopback(host) || tls || c.InsecureHTTP {
		return nil
	}
	remedy := "set tls_cert and tls_key, listen at 127.0.0.1"
	if key != "listen" {
		remedy = "listen at 127.0.0.1"
	}
	return fmt.Errorf("%s: %s is reachable from other machines, and would speak plain HTTP; %s, or say --insecure-http if something in front does TLS", key, addr, remedy)
}

// loopback tells whether a listener at host is reachable from this machine alone.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// validateDatabase refuses URLs that would send the password and the data in clear
// text to another machine, too.
func (c Config) validateDatabase() error {
	if c.DatabaseURL == "" {
		return nil
	}
	if err := store.CheckURL(c.DatabaseURL); err != nil {
		return fmt.Errorf("database_url: %w", err)
	}
	return within("database_connections", c.DatabaseConnections, 4, 1000)
}

func (c Config) validateBaseURL() error {
	if c.BaseURL == "" {
		return nil
	}
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("base_url: %q is not an http or https URL, such as https://assay.example.org", c.BaseURL)
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.HasSuffix(u.Path, "/") {
		return errors.New("base_url: give the scheme, the host and at most a path without a slash at its end")
	}
	return nil
}

func (c Config) validateIDs() error {
	if c.IDBase < 1000 {
		return fmt.Errorf("id_base: %d is an id of the system's; take 100000 or more", c.IDBase)
	}
	if c.IDSize < 1<<16 {
		return fmt.Errorf("id_size: %d is too few; images use ids up to 65534, so take 65536", c.IDSize)
	}
	if uint64(c.IDBase)+uint64(c.IDSize) >= math.MaxUint32 {
		return fmt.Errorf("id_base and id_size: their sum must be less than %d", uint32(math.MaxUint32))
	}
	return nil
}

func oneOf(key, got string, want ...string) error {
	for _, w := range want {
		if got == w {
			return nil
		}
	}
	return fmt.Errorf("%s: %q is none of %s", key, got, strings.Join(want, ", "))
}

func within[T int | int64 | float64 | time.Duration](key string, got, least, most T) error {
	if got >= least && got <= most {
		return nil
	}
	return fmt.Errorf("%s: %v is not within %v and %v", key, got, least, most)
}

// judging is what the server says of judging, for datasets that do not say.
func (c Config) judging() assay.Judging {
	return assay.Judging{
		Rounds: c.Rounds, MaxOdds: c.MaxOdds, RequireAssurance: assay.Assurance(c.RequireAssurance),
		Fresh: assay.Fresh(c.Fresh), Feedback: assay.Feedback(c.Feedback),
	}
}

// scheme is what the API speaks.
func (c Config) scheme() string {
	if c.TLSCert != "" {
		return "https"
	}
	return "http"
}

func (c Config) logLevel() slog.Level {
	var l slog.Level
	if l.UnmarshalText([]byte(c.LogLevel)) != nil {
		return slog.LevelInfo
	}
	return l
}

func (c Config) shutdownTimeout() time.Duration { return c.ShutdownTimeout }

// idShift is how the ids of images become ids of the host.
func (c Config) idShift() image.IDShift {
	return image.IDShift{UIDBase: c.IDBase, GIDBase: c.IDBase, Size: c.IDSize}
}

// limits returns r as sandboxes know it.
func (r Resources) limits() sandbox.Limits {
	return sandbox.Limits{
		CPUs:        r.CPUs,
		MemoryBytes: r.MemoryMB << 20,
		PIDs:        r.PIDs,
		DiskBytes:   r.DiskMB << 20,
	}
}
