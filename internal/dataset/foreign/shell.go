package foreign

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// literalWord returns a word of a shell script as the command gets it; false when that
// depends on what the shell finds when it runs.
func literalWord(w *syntax.Word) (string, bool) {
	var b strings.Builder
	for i, part := range w.Parts {
		switch part := part.(type) {
		case *syntax.Lit:
			text, ok := unescaped(part.Value)
			if !ok || i == 0 && strings.HasPrefix(part.Value, "~") {
				return "", false
			}
			b.WriteString(text)
		case *syntax.SglQuoted:
			if part.Dollar {
				return "", false
			}
			b.WriteString(part.Value)
		case *syntax.DblQuoted:
			for _, inner := range part.Parts {
				lit, ok := inner.(*syntax.Lit)
				if !ok || strings.Contains(lit.Value, `\`) {
					return "", false
				}
				b.WriteString(lit.Value)
			}
		default:
			return "", false
		}
	}
	return b.String(), true
}

// unescaped returns text that stands outside of quotes without its backslashes; false
// when it holds a pattern.
func unescaped(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && i+1 < len(text):
			i++
			b.WriteByte(text[i])
		case strings.IndexByte(`*?[{\`, c) >= 0:
			return "", false
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// literalBody returns what a here-document of a script holds; false when the shell
// would change it.
func literalBody(script string, r *syntax.Redirect) (string, bool) {
	lit, plain := r.Word.Parts[0].(*syntax.Lit)
	quoted := !plain || len(r.Word.Parts) > 1 || strings.Contains(lit.Value, `\`)
	for _, part := range r.Hdoc.Parts {
		if _, ok := part.(*syntax.Lit); !ok {
			return "", false
		}
	}
	body, _ := bodyOf(script, r)
	return body, quoted || !strings.Contains(body, `\`)
}

// bodyOf returns the lines of a here-document, and the one that ends it.
func bodyOf(script string, r *syntax.Redirect) (body, last string) {
	text := script[r.Hdoc.Pos().Offset():r.Hdoc.End().Offset()]
	at := strings.LastIndexByte(text, '\n') + 1
	return text[:at], text[at:]
}

// understood tells whether a script is read here as the shell reads it. The parser takes
// a line with a carriage return for the end of a here-document, which bash does not; and
// a script may call other programs by the names that its steps have.
func understood(f *syntax.File, script string) bool {
	ok := true
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.FuncDecl:
			ok = ok && (n.Name == nil || !slices.Contains([]string{"git", "rm", "cd"}, n.Name.Value))
		case *syntax.CallExpr:
			ok = ok && commandName(n) != "alias"
		case *syntax.Redirect:
			if n.Hdoc != nil {
				_, last := bodyOf(script, n)
				ok = ok && !strings.Contains(last, "\r")
			} else if n.Op == syntax.Hdoc || n.Op == syntax.DashHdoc { // an empty one
				ok = ok && !strings.Contains(script, "\r")
			}
		}
		return ok
	})
	return ok
}

// literalArgs returns the words of a statement that is one simple command, whatever its
// redirections; nil when it is none, sets variables or has a word that is not known
// before it runs.
func literalArgs(stmt *syntax.Stmt) []string {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Assigns) > 0 {
		return nil
	}
	var args []string
	for _, word := range call.Args {
		text, ok := literalWord(word)
		if !ok {
			return nil
		}
		args = append(args, text)
	}
	return args
}

// gitArgs returns the words behind git and its settings, such as -c core.fileMode=false,
// of a statement that is one simple command; nil when it is none of git.
func gitArgs(stmt *syntax.Stmt) []string {
	args := literalArgs(stmt)
	if len(args) == 0 || args[0] != "git" {
		return nil
	}
	args = args[1:]
	for len(args) > 1 && args[0] == "-c" {
		args = args[2:]
	}
	return args
}

// isGit tells whether a word is a name of git's program.
func isGit(word string) bool { return path.Base(word) == "git" }

// commandOf returns the name of the command of a statement that is a simple one.
func commandOf(stmt *syntax.Stmt) string {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok {
		return ""
	}
	return commandName(call)
}

// commandName returns the name of a command; "" when it is not known before it runs.
func commandName(call *syntax.CallExpr) string {
	if len(call.Args) == 0 {
		return ""
	}
	name, _ := literalWord(call.Args[0])
	return name
}

// anyCall tells whether a simple command anywhere in a statement fits. Of words that
// are not known before it runs, it is given "$".
func anyCall(stmt *syntax.Stmt, fits func(words []string) bool) bool {
	found := false
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok && !found {
			words := make([]string, len(call.Args))
			for i, word := range call.Args {
				text, literal := literalWord(word)
				if words[i] = text; !literal {
					words[i] = "$"
				}
			}
			found = fits(words)
		}
		return !found
	})
	return found
}

// applies tells whether a statement applies a patch, of whatever.
func applies(stmt *syntax.Stmt) bool {
	return anyCall(stmt, func(words []string) bool {
		git := slices.IndexFunc(words, isGit)
		return slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == "patch" }) ||
			git >= 0 && (slices.Contains(words[git:], "apply") || slices.Contains(words[git:], "am"))
	})
}

// readsStatus tells whether a statement asks how the one before it ended.
func readsStatus(stmt *syntax.Stmt) bool {
	found := false
	syntax.Walk(stmt, func(n syntax.Node) bool {
		if p, ok := n.(*syntax.ParamExp); ok && p.Param != nil {
			found = found || p.Param.Value == "?" || p.Param.Value == "PIPESTATUS" || p.Param.Value == "_"
		}
		return !found
	})
	return found
}

// marks tells whether a statement writes a marker, or has the shell trace it.
func marks(stmt *syntax.Stmt, marker string) bool {
	args := literalArgs(stmt)
	return len(args) == 2 && (args[0] == ":" || args[0] == "echo") && strings.Contains(args[1], marker)
}

// changeDir returns the directory that a script is in after a statement; "" when that
// is not known.
func changeDir(cwd string, stmt *syntax.Stmt) string {
	moves := false
	syntax.Walk(stmt, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Subshell, *syntax.CmdSubst, *syntax.ProcSubst:
			return false // of their own
		case *syntax.BinaryCmd:
			return n.Op != syntax.Pipe && n.Op != syntax.PipeAll
		case *syntax.CallExpr:
			moves = moves || slices.Contains([]string{"cd", "pushd", "popd"}, commandName(n))
		}
		return true
	})
	if !moves {
		return cwd
	}
	args := literalArgs(stmt)
	switch {
	case len(args) != 2 || args[0] != "cd" || args[1] == "-":
		return ""
	case path.IsAbs(args[1]):
		return path.Clean(args[1])
	case cwd == "":
		return ""
	}
	return path.Join(cwd, args[1])
}
