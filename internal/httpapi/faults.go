package httpapi

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"assay/client/wire"
)

// misfit begins the message of a body that fits the schema, but not the structure: a
// field given twice, in upper and lower case. The name of the field follows.
const misfit = "does not fit: "

// wording turns a message of huma's validation into a fault in the words of FastAPI
// (pydantic 2), which clients of the Codeset API know.
type wording struct {
	prefix string // of huma's message
	kind   string
	msg    string // %s is what follows the prefix
}

// wordings are the messages that the schemas of this API can cause. Longer prefixes
// come before their own beginnings.
var wordings = []wording{
	{"required ", "missing", "Field required"}, // "required query parameter is missing"
	{before(validation.MsgExpectedBePattern), "string_pattern_mismatch", "String should be %s"},
	{validation.MsgExpectedString, "string_type", "Input should be a valid string"},
	{validation.MsgExpectedInteger, "int_type", "Input should be a valid integer"},
	{"invalid integer", "int_parsing", "Input should be a valid integer, unable to parse string as an integer"},
	{before(validation.MsgExpectedMinimumNumber), "greater_than_equal", "Input should be greater than or equal to %s"},
	{before(validation.MsgExpectedMaximumNumber), "less_than_equal", "Input should be less than or equal to %s"},
	{before(validation.MsgExpectedMinLength), "string_too_short", "String should have at least %s character(s)"},
	{before(validation.MsgExpectedMaxLength), "string_too_long", "String should have at most %s characters"},
	{before(validation.MsgExpectedOneOf), "enum", `Input should be one of "%s`},
	{validation.MsgExpectedObject, "model_attributes_type", "Input should be a valid dictionary or object to extract fields from"},
}

// before returns what a format says before its first verb.
func before(format string) string {
	prefix, _, _ := strings.Cut(format, "%")
	return prefix
}

// faultsOf turns the errors of huma's validation into ours.
func faultsOf(errs []*huma.ErrorDetail) []wire.Fault {
	faults := make([]wire.Fault, 0, len(errs))
	for _, e := range errs {
		faults = append(faults, faultOf(e))
	}
	return faults
}

func faultOf(e *huma.ErrorDetail) wire.Fault {
	loc := strings.Split(e.Location, ".")
	if name, ok := strings.CutPrefix(e.Message, before(validation.MsgExpectedRequiredProperty)); ok {
		name, _, _ = strings.Cut(name, " ")
		return wire.Fault{Loc: append(loc, name), Msg: "Field required", Type: "missing"}
	}
	if name, ok := strings.CutPrefix(e.Message, misfit); ok {
		return wire.Fault{Loc: append(loc, name), Msg: "Input should be of the type of its field", Type: "value_error"}
	}
	if e.Location == "body" && e.Value == nil { // no body, or null
		return wire.Fault{Loc: loc, Msg: "Field required", Type: "missing"}
	}
	for _, w := range wordings {
		if rest, ok := strings.CutPrefix(e.Message, w.prefix); ok {
			return wire.Fault{Loc: loc, Msg: strings.Replace(w.msg, "%s", rest, 1), Type: w.kind}
		}
	}
	return wire.Fault{Loc: loc, Msg: e.Message, Type: "value_error"}
}

// unfit is the answer to a request with faults that no schema can tell.
func unfit(faults ...wire.Fault) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, body: wire.ValidationBody{Detail: faults}}
}
