# One Go module before its fix, with its packages and tests compiled.
FROM localhost/assay-starter/go:latest
COPY testbed /testbed
WORKDIR /testbed
# Suites run as nobody, who may add to the cache and change nothing that is in it.
# What tests that were run as root left behind goes: nobody could write it again.
RUN go test -vet=off -run '^$' ./... && test -z "$(git status --porcelain)" && git clean -dfxq && \
    find /var/cache/go-build -type d -exec chmod 1777 {} + && touch /var/cache/go-build/trim.txt && chmod 666 /var/cache/go-build/trim.txt
