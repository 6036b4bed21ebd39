# One Go module before its fix, with its packages and tests compiled.
FROM localhost/assay-starter/go:latest
COPY testbed /testbed
WORKDIR /testbed
RUN go test -vet=off -run '^$' ./... && test -z "$(git status --porcelain)"
