package image

import (
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// normalise completes a reference as Docker does: registry docker.io, repository
// library/, tag latest. It is empty for what is no reference.
func normalise(ref string) string {
	parsed, err := name.ParseReference(ref, name.WeakValidation)
	if err != nil {
		return ""
	}
	return fullName(parsed)
}

// fullName is a reference in full, with Docker's own name for its hub.
func fullName(ref name.Reference) string {
	full := ref.Name()
	if rest, ok := strings.CutPrefix(full, name.DefaultRegistry+"/"); ok {
		return "docker.io/" + rest
	}
	return full
}
