package steering

import (
	"errors"

	"golang.org/x/mod/modfile"
)

// goModPart is what go.mod says beside the modules that it requires and the version of
// the language, which may change.
func goModPart(data []byte) (part, error) {
	file, err := modfile.Parse("go.mod", data, nil)
	if err != nil {
		return nil, errors.New("it is no go.mod")
	}
	p := part{}
	if file.Module != nil {
		p["module"] = file.Module.Mod.Path
	}
	if file.Toolchain != nil {
		p["toolchain"] = file.Toolchain.Name
	}
	for _, r := range file.Replace {
		p["replace "+r.Old.String()] = r.New.String()
	}
	for _, e := range file.Exclude {
		p["exclude "+e.Mod.String()] = ""
	}
	for _, d := range file.Godebug {
		p["godebug "+d.Key] = d.Value
	}
	for _, t := range file.Tool {
		p["tool "+t.Path] = ""
	}
	for _, i := range file.Ignore {
		p["ignore "+i.Path] = ""
	}
	return p, nil
}
