# The Go toolchain, and the standard library compiled once for every Go sample.
FROM localhost/assay-starter/base:latest
COPY go /usr/local/go
ENV PATH=/usr/local/go/bin:/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    GOPATH=/go \
    GOCACHE=/var/cache/go-build \
    GOTOOLCHAIN=local \
    GOPROXY=off \
    GOSUMDB=off \
    GOFLAGS=-mod=mod \
    GOTELEMETRY=off \
    CGO_ENABLED=0
RUN mkdir -p /var/cache/go-build && go build std
