package assay_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// listed is a package with the file that says what it exports.
type listed struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// TestLogsPrintNoValuesOfGo looks at everything that is logged: what says by itself how it is
// shown, and plain values. A struct, or a pointer to one, would be shown as &{CODE text}.
func TestLogsPrintNoValuesOfGo(t *testing.T) {
	out, err := exec.Command("go", "list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	exports, ours := map[string]string{}, []listed{}
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		exports[p.ImportPath] = p.Export
		if p.ImportPath == "assay" || strings.HasPrefix(p.ImportPath, "assay/") {
			ours = append(ours, p)
		}
	}
	files := token.NewFileSet()
	imports := importer.ForCompiler(files, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
	shown := newShown(t, imports)
	calls := 0
	for _, p := range ours {
		var parsed []*ast.File
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			parsed = append(parsed, file)
		}
		info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{}}
		if _, err := (&types.Config{Importer: imports}).Check(p.ImportPath, files, parsed, info); err != nil {
			t.Fatal(err)
		}
		for _, file := range parsed {
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || call.Ellipsis.IsValid() {
					return true
				}
				for _, value := range logged(info, call) {
					calls++
					if of := info.TypeOf(value); !shown.well(of) {
						t.Errorf("%s: a %s is logged; give what people can read, or the type a LogValue", files.Position(value.Pos()), of)
					}
				}
				return true
			})
		}
	}
	if calls < 100 {
		t.Errorf("only %d values were found that are logged", calls)
	}
}

// logged returns the values that a call logs; none of another call.
func logged(info *types.Info, call *ast.CallExpr) (values []ast.Expr) {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	f, ok := info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Pkg().Path() != "log/slog" {
		return nil
	}
	if f.Name() == "Any" {
		return call.Args[1:]
	}
	params := f.Signature().Params()
	if !f.Signature().Variadic() || types.TypeString(params.At(params.Len()-1).Type(), nil) != "[]any" {
		return nil
	}
	for i := params.Len() - 1; i < len(call.Args); i++ {
		if of := types.TypeString(info.TypeOf(call.Args[i]), nil); of == "log/slog.Attr" {
			continue
		}
		if i++; i < len(call.Args) { // behind its name
			values = append(values, call.Args[i])
		}
	}
	return values
}

// shown are the types that say how they are shown.
type shown []*types.Interface

func newShown(t *testing.T, imports types.Importer) shown {
	t.Helper()
	all := shown{types.Universe.Lookup("error").Type().Underlying().(*types.Interface)}
	for _, name := range []string{"fmt.Stringer", "log/slog.LogValuer", "encoding.TextMarshaler"} {
		at := strings.LastIndex(name, ".")
		p, err := imports.Import(name[:at])
		if err != nil {
			t.Fatal(fmt.Errorf("find %s: %w", name, err))
		}
		all = append(all, p.Scope().Lookup(name[at+1:]).Type().Underlying().(*types.Interface))
	}
	return all
}

// well tells whether a type is shown as people read it.
func (s shown) well(of types.Type) bool {
	if slices.ContainsFunc(s, func(i *types.Interface) bool { return types.Implements(of, i) }) {
		return true
	}
	switch of := of.Underlying().(type) {
	case *types.Basic:
		return true
	case *types.Slice:
		return s.well(of.Elem())
	}
	return false
}
