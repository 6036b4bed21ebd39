package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"assay/client/wire"
)

const description = "Real software-engineering tasks for coding agents. A session is a sandbox made from a sample; " +
	"an agent runs commands and edits files in it; a verification judges the work. " +
	"This is the public Codeset API: point `CODESET_BASE_URL` here.\n\n" +
	"Every answer carries `X-Request-Id`. Times are RFC 3339 in UTC. What is under way need not be polled: " +
	"the answer to a GET is held until it is done."

// humaConfig is how huma works here: JSON only, nothing of its own served, unknown
// fields ignored.
func humaConfig(version string) huma.Config {
	cfg := huma.DefaultConfig("Assay", version)
	cfg.OpenAPIPath, cfg.DocsPath, cfg.SchemasPath = "", "", ""
	cfg.CreateHooks = nil
	cfg.AllowAdditionalPropertiesByDefault = true
	format := huma.Format{Marshal: encode, Unmarshal: decode}
	cfg.Formats = map[string]huma.Format{
		"application/json": format,
		"json":             format, // of application/problem+json, which huma says before render corrects it
	}
	cfg.Transformers = []huma.Transformer{render}
	cfg.Info.Description = description
	cfg.Servers = []*huma.Server{{URL: wire.BasePath}}
	cfg.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"bearer": {Type: "http", Scheme: "bearer", Description: "An API key (`assay user create` makes a user and its first key), or the access token of a login."},
	}
	cfg.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[wire.ErrorBody]())
	for _, t := range []struct{ name, text string }{
		{tagSessions, "Sandboxes made from samples"},
		{tagCommands, "Work in a session"},
		{tagVerification, "Verdicts on the work of a session"},
		{tagDatasets, "Tasks"},
		{tagAuth, "Through GitHub: tokens for people. Programs use API keys"},
		{tagUsers, "Who calls, and API keys"},
		{tagBilling, "Prices, balances, deposits and statements"},
		{tagHealth, "The server itself"},
	} {
		cfg.Tags = append(cfg.Tags, &huma.Tag{Name: t.name, Description: t.text})
	}
	return cfg
}

func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// decode tells in faultOf's words which field does not fit although its schema does.
func decode(data []byte, v any) error {
	err := json.Unmarshal(data, v)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return errors.New(misfit + wrong.Field)
	}
	return err
}

// document completes the OpenAPI document with what struct tags cannot say, and
// returns it as JSON.
func document(doc *huma.OpenAPI, cfg Config) ([]byte, error) {
	schemas := doc.Components.Schemas
	longest := float64(cfg.MaxTTLMinutes)
	bound(schemas, "SessionCreate", "ttl_minutes", longest)
	bound(schemas, "ExecRequest", "command_timeout", longest*60) // nothing in a session outlives it
	bound(schemas, "ExecRequest", "timeout", longest*60)
	schemas.Map()["ExecRequest"].Properties["command_timeout"].Default = defaultCommandTimeout
	for name, s := range schemas.Map() {
		allowNull(schemas, "#/components/schemas/"+name, s)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("marshal the OpenAPI document: %w", err)
	}
	return data, nil
}

// bound sets the maximum of a property that the configuration says.
func bound(schemas huma.Registry, schema, property string, most float64) {
	p := schemas.Map()[schema].Properties[property]
	p.Maximum = &most
	p.PrecomputeMessages()
}

// allowNull lets the properties of a schema that are pointers to structures be null, as
// they are when empty; huma does so for scalars only.
func allowNull(schemas huma.Registry, ref string, s *huma.Schema) {
	t := schemas.TypeFromRef(ref)
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		p := s.Properties[name]
		if p == nil || p.Ref == "" || f.Type.Kind() != reflect.Pointer || strings.Contains(options, "omitempty") {
			continue
		}
		s.Properties[name] = &huma.Schema{
			Description: f.Tag.Get("doc"),
			AnyOf:       []*huma.Schema{{Ref: p.Ref}, {Type: "null"}},
		}
	}
}

func (a *API) serveOpenAPI(w http.ResponseWriter, _ *http.Request) {
	w.Header()["Content-Type"] = contentTypeJSON
	w.Write(a.openapi) //nolint:errcheck // the client is gone, or gets it
}
