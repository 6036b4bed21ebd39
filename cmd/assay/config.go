package main

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"github.com/alecthomas/kong"

	"assay/internal/app"
)

// configFlags are all settings as flags.
type configFlags struct {
	File string `name:"config" env:"ASSAY_CONFIG" placeholder:"FILE" help:"YAML file with settings: the names of these flags with _ for -."`
	SettingFlags
}

// SettingFlags are a Config without its methods: kong would call Validate before the
// other sources are read.
type SettingFlags app.Config

func (f *configFlags) load(parsed *kong.Context) (*app.Settings, error) {
	return loadSettings(f.File, app.Config(f.SettingFlags), parsed)
}

func loadSettings(file string, flags app.Config, parsed *kong.Context) (*app.Settings, error) {
	s, err := app.LoadSettings(app.Sources{File: file, Env: os.LookupEnv, Flags: flags, Given: given(parsed)})
	if err != nil {
		return nil, usageError{err}
	}
	if err := s.Config.Validate(); err != nil {
		return nil, usageError{err}
	}
	return s, nil
}

// localFlags are the settings of verbs that work on the data directory. All others
// can be set in the file and in the environment.
type localFlags struct {
	File    string `name:"config" env:"ASSAY_CONFIG" placeholder:"FILE" help:"YAML file with settings; assay serve --help lists them."`
	DataDir string `name:"data-dir" placeholder:"DIR" help:"Where the server keeps everything (/var/lib/assay)."`
	// The name is that of the setting: see app.Config.
	DatabaseURL string `name:"database-url" placeholder:"URL" help:"PostgreSQL database of the server (a SQLite file in the data directory)."`
	IDBase      uint32 `name:"id-base" placeholder:"ID" help:"First user and group id that sandboxes use; needed once: the data directory keeps it (1879048192)."`
}

func (f *localFlags) config() app.Config {
	return app.Config{DataDir: f.DataDir, DatabaseURL: f.DatabaseURL, IDBase: f.IDBase}
}

// open opens the data directory, beside a server that may run on it.
func (f *localFlags) open(ctx context.Context, parsed *kong.Context) (*app.App, error) {
	return openApp(ctx, f.File, f.config(), parsed, app.Open)
}

// openExisting is open for verbs that only read: they make no data directory.
func (f *localFlags) openExisting(ctx context.Context, parsed *kong.Context) (*app.App, error) {
	return openApp(ctx, f.File, f.config(), parsed, app.OpenExisting)
}

func openApp(ctx context.Context, file string, flags app.Config, parsed *kong.Context, open func(context.Context, app.Config) (*app.App, error)) (*app.App, error) {
	s, err := loadSettings(file, flags, parsed)
	if err != nil {
		return nil, err
	}
	if s.Source["log_level"] == "default" {
		s.Config.LogLevel = "warn" // the verb says itself what it does
	}
	_, before := os.Stat(s.Config.DataDir)
	a, err := open(ctx, s.Config)
	if err == nil && errors.Is(before, fs.ErrNotExist) { // a name that is mistyped is seen here
		a.Log.Warn("made a new data directory; if it is not meant, remove it and give the right --data-dir", "data_dir", s.Config.DataDir)
	}
	return a, err
}

type configCmd struct {
	configFlags
}

func (*configCmd) Help() string {
	return `The output is YAML that --config takes. A setting is looked for among the flags, then in the environment
(ASSAY_ and its name in upper case), then in the file of --config, and has its default otherwise.

    assay config --max-sessions 5 > assay.yaml`
}

// Run prints the configuration, also one that serve would refuse: then it says why.
func (c *configCmd) Run(parsed *kong.Context, std stdio) error {
	s, err := app.LoadSettings(app.Sources{File: c.File, Env: os.LookupEnv, Flags: app.Config(c.SettingFlags), Given: given(parsed)})
	if err != nil {
		return usageError{err}
	}
	if err := s.Write(std.out); err != nil {
		return err
	}
	if err := s.Config.Validate(); err != nil {
		return usageError{err}
	}
	return nil
}
