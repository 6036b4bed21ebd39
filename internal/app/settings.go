package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"assay/internal/image"
)

// Sources is where settings come from; the later ones win.
type Sources struct {
	File  string                      // a YAML file; "" for none
	Env   func(string) (string, bool) // os.LookupEnv
	Flags Config                      // as parsed from the command line
	Given []string                    // names, without dashes, of the flags that were given; others than settings are ignored
}

// Settings is a Config that knows where each of its values comes from.
type Settings struct {
	Config Config            // with its defaults
	Source map[string]string // by key: "default", "file NAME:LINE", "ASSAY_NAME", "--name", or what else it is from
}

// maxConfigBytes bounds a configuration file.
const maxConfigBytes = 1 << 20

// LoadSettings puts the settings together: defaults, then what the data directory says of
// the ids of sandboxes, then the file, then the environment, then flags. It tells everything that cannot be read, but does not
// validate: see Config.Validate.
func LoadSettings(src Sources) (*Settings, error) {
	s := &Settings{Source: map[string]string{}}
	all := fieldsOf(reflect.ValueOf(&s.Config).Elem(), "")
	err := errors.Join(s.readFile(src.File, all), s.readEnv(src.Env, all))
	if err != nil {
		return nil, err
	}
	flags := fieldsOf(reflect.ValueOf(&src.Flags).Elem(), "")
	for i, f := range all {
		if slices.Contains(src.Given, f.flag()) {
			f.value.Set(flags[i].value)
			s.Source[f.key] = "--" + f.flag()
		}
	}
	s.readDataDir()
	s.fillDefaults(all)
	return s, nil
}

// readDataDir takes the ids of sandboxes from the data directory where nothing else says
// them: its images are unpacked for those, and for no others. Whatever keeps that from being
// read is told by who opens the directory.
func (s *Settings) readDataDir() {
	dir := dataDir(s.Config.WithDefaults().DataDir)
	shift, err := image.StoredShift(dir.path("images"))
	if err != nil || shift.UIDBase != shift.GIDBase {
		return
	}
	const source = "the images of the data directory"
	if s.Config.IDBase == 0 {
		s.Config.IDBase, s.Source["id_base"] = shift.UIDBase, source
	}
	if s.Config.IDSize == 0 {
		s.Config.IDSize, s.Source["id_size"] = shift.Size, source
	}
}

// fillDefaults fills the defaults in, and notes which values are such.
func (s *Settings) fillDefaults(all []field) {
	unset := map[string]bool{}
	for _, f := range all {
		unset[f.key] = f.value.IsZero()
	}
	s.Config = s.Config.WithDefaults()
	for _, f := range all {
		if s.Source[f.key] == "" || unset[f.key] && !f.value.IsZero() {
			s.Source[f.key] = "default"
		}
	}
}

// field is one setting of a Config.
type field struct {
	key    string // with a dot before the name of a setting within a group
	value  reflect.Value
	secret bool
}

// fieldsOf lists the settings of a struct, in the order of its fields. A field with
// the tag secret:"true" is never shown.
func fieldsOf(v reflect.Value, prefix string) []field {
	var all []field
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		key := prefix + tag.Get("yaml")
		if v.Field(i).Kind() == reflect.Struct {
			all = append(all, fieldsOf(v.Field(i), key+".")...)
			continue
		}
		all = append(all, field{key, v.Field(i), tag.Get("secret") == "true"})
	}
	return all
}

// env is the name of the setting in the environment.
func (f field) env() string { return "ASSAY_" + strings.ToUpper(strings.ReplaceAll(f.key, ".", "_")) }

// flag is the name of the setting on the command line.
func (f field) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(f.key) }

// readEnv reads the environment. An empty variable is as good as none.
func (s *Settings) readEnv(lookup func(string) (string, bool), all []field) error {
	if lookup == nil {
		return nil
	}
	var errs []error
	for _, f := range all {
		text, ok := lookup(f.env())
		if !ok || text == "" {
			continue
		}
		if err := setText(f.value, text); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f.env(), err))
		}
		s.Source[f.key] = f.env()
	}
	return errors.Join(errs...)
}

// setText parses text into a setting.
func setText(v reflect.Value, text string) error {
	var err error
	switch v.Interface().(type) {
	case string:
		v.SetString(text)
	case bool:
		var b bool
		if b, err = strconv.ParseBool(text); err != nil {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(b)
	case time.Duration:
		var d time.Duration
		if d, err = time.ParseDuration(text); err != nil {
			return fmt.Errorf("%q is not a time such as 30s or 5m", text)
		}
		v.SetInt(int64(d))
	case float64:
		var f float64
		if f, err = strconv.ParseFloat(text, 64); err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		v.SetFloat(f)
	case uint32:
		var u uint64
		if u, err = strconv.ParseUint(text, 10, 32); err != nil {
			return fmt.Errorf("%q is not a whole number from 0 to 4294967295", text)
		}
		v.SetUint(u)
	default: // int, int64
		var i int64
		if i, err = strconv.ParseInt(text, 10, v.Type().Bits()); err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		v.SetInt(i)
	}
	return nil
}

// readFile reads a YAML file whose keys are settings. Keys that are not known are refused.
func (s *Settings) readFile(name string, all []field) error {
	if name == "" {
		return nil
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxConfigBytes+1))
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	if len(text) > maxConfigBytes {
		return fmt.Errorf("read the configuration: %s is larger than %d bytes", name, maxConfigBytes)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return fmt.Errorf("read the configuration: %s: %w", name, err)
	}
	if len(doc.Content) == 0 {
		return nil // nothing but comments
	}
	r := &fileReader{name: name, settings: s, fields: map[string]field{}, groups: map[string]bool{}}
	for _, f := range all {
		r.fields[f.key] = f
		if group, _, ok := strings.Cut(f.key, "."); ok {
			r.groups[group] = true
		}
	}
	r.mapping(doc.Content[0], "")
	return errors.Join(r.errs...)
}

type fileReader struct {
	name     string
	settings *Settings
	fields   map[string]field
	groups   map[string]bool
	errs     []error
}

func (r *fileReader) fail(n *yaml.Node, format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf("%s:%d: "+format, append([]any{r.name, n.Line}, args...)...))
}

func (r *fileReader) mapping(n *yaml.Node, prefix string) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "want settings, a key and a value a line")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := n.Content[i], n.Content[i+1]
		key := prefix + name.Value
		f, ok := r.fields[key]
		switch {
		case r.groups[key]:
			r.mapping(value, key+".")
		case !ok:
			r.fail(name, "there is no setting %s; assay config shows all", key)
		case strings.HasPrefix(r.settings.Source[key], "file "):
			r.fail(name, "%s is set a second time", key)
		case value.Kind != yaml.ScalarNode:
			r.fail(value, "%s: want a single value", key)
		case value.Tag == "!!null": // as good as absent
		case f.secret && value.Value == mask:
			r.fail(value, "%s: this is no secret, but what assay config shows of one; write the secret itself", key)
		default:
			if err := setText(f.value, value.Value); err != nil {
				r.fail(value, "%s: %v", key, err)
			}
			r.settings.Source[key] = fmt.Sprintf("file %s:%d", r.name, name.Line)
		}
	}
}

// Write writes the settings as YAML that can be read again, each with its source.
// Secrets are masked.
func (s *Settings) Write(w io.Writer) error {
	return writeFields(w, fieldsOf(reflect.ValueOf(&s.Config).Elem(), ""), s.Source)
}

// mask stands for a secret that is set.
const mask = "********"

func writeFields(w io.Writer, all []field, source map[string]string) error {
	group := ""
	for _, f := range all {
		indent, name := "", f.key
		if g, rest, ok := strings.Cut(f.key, "."); ok {
			if g != group {
				if _, err := fmt.Fprintf(w, "%s:\n", g); err != nil {
					return err
				}
			}
			indent, name, group = "  ", rest, g
		}
		value := f.value.Interface()
		if d, ok := value.(time.Duration); ok {
			value = d.String()
		}
		if f.secret && !f.value.IsZero() {
			value = mask
		}
		text, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s%s: %s", indent, name, strings.TrimSpace(string(text)))
		if _, err := fmt.Fprintf(w, "%-44s # %s\n", line, source[f.key]); err != nil {
			return err
		}
	}
	return nil
}
