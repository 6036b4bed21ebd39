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

// registerPage adds the page and what it loads.
func (a *API) registerPage() {
	for path, file := range map[string]string{
		"/docs":          "page/index.html",
		"/docs/page.css": "page/page.css",
		"/docs/page.js":  "page/page.js",
	} {
		a.mux.HandleFunc("GET "+path, a.anyone(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", pagePolicy)
			http.ServeFileFS(w, r, page, file)
		}))
	}
}
