package httpapi

import (
	"embed"
	"net/http"
)

// page is the documentation for people: it shows openapi.json, without help from
// elsewhere.
//
//go:embed page
var page embed.FS

// pagePolicy lets the page load its own script and style, and read the document.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// servePage serves a file of the page; the page itself without a name.
func (a *API) servePage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	if name == "" {
		name = "index.html"
	}
	if _, err := page.Open("page/" + name); err != nil {
		a.notFound(w, r)
		return
	}
	w.Header().Set("Content-Security-Policy", pagePolicy)
	http.ServeFileFS(w, r, page, "page/"+name)
}
