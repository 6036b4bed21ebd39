package testreport

import (
	"net/url"
	"path"
	"strings"
)

// findingID names a finding so that the name stays when lines above it move: by its
// rule, its file and its message, joined by "::". What is missing is left out. Several
// findings may have the same name; each is an occurrence of its own.
func findingID(rule, file, message string) string {
	parts := make([]string, 0, 3)
	for _, part := range []string{strings.TrimSpace(rule), findingPath(file), strings.Join(strings.Fields(message), " ")} {
		if part != "" {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "::")
}

// findingPath makes one of the ways in which tools write a path: without "./", with
// "/" between its parts. A path that a tool writes absolute stays so.
func findingPath(file string) string {
	file = strings.ReplaceAll(strings.TrimSpace(file), `\`, "/")
	if file == "" {
		return ""
	}
	return path.Clean(file)
}

// uriPath is the path that a URI names, for files and relative references. Others
// are returned as they are.
func uriPath(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "" && u.Scheme != "file" || u.Path == "" {
		return uri
	}
	return u.Path
}
