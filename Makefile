# Assay. `make help` lists the targets.

SHELL := /bin/bash
.DEFAULT_GOAL := help

BIN      := bin
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GO       ?= go
GOFLAGS  += -trimpath
LDFLAGS  := -s -w -X assay/internal/app.Version=$(VERSION)
STARTER  := build/starter
MINUTES  ?= 20
SEED     ?= 0
PROVE    ?= false
GENERATED ?= 12
SHARD    ?= 1/1
SEARCHED ?= quick
DRAWN    ?= 6
PLAYS    ?= 60
HONEST_PLAYS ?= 20
DATABASE_URL ?=
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

export GOFLAGS

.PHONY: help demo test test-all build starter deps vet lint unit e2e attacks attacks-full sdk openapi bench soak brief-soak clean

help: ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: deps build starter ## solve every starter task on a real server, and show the table
	$(BIN)/assay-demo --assay $(BIN)/assay --starter $(STARTER) --data-dir build/data

test: deps build starter vet unit e2e attacks sdk openapi brief-soak ## run everything: unit, race, conformance, end to end, attacks, SDK, OpenAPI, crashes

test-all: test attacks-full soak ## and what takes hours: all generated attacks, and a soak of MINUTES

build: ## build the server, the guest agent and what tests run into bin/
	CGO_ENABLED=0 $(GO) build -ldflags '$(LDFLAGS)' -o $(BIN)/assay ./cmd/assay
	CGO_ENABLED=0 $(GO) build -ldflags '-s -w' -o $(BIN)/assay-agent ./cmd/assay-agent
	for program in attacks demo fakes soak; do $(GO) build -ldflags '-s -w' -o $(BIN)/assay-$$program ./e2e/$$program || exit 1; done

starter: deps ## build the starter dataset and its images from package registries
	$(GO) run ./datasets/starter/build --out $(STARTER)

deps: ## install what is missing, with the system's package manager
	@scripts/install-dependencies

vet: ## go vet and gofmt
	$(GO) vet ./...
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "gofmt would change:"; gofmt -l $$(git ls-files '*.go'); exit 1; }

unit: deps ## unit and conformance tests, with the race detector
	$(GO) test -race -timeout 20m $$($(GO) list ./... | grep -v '^assay/e2e')

e2e: build starter ## end to end: the built binary with real sandboxes
	ASSAY_BIN=$(abspath $(BIN)) ASSAY_STARTER=$(abspath $(STARTER)) $(GO) test -timeout 20m -count=1 ./e2e/...

attacks: build starter ## try to be judged solved without solving, with rounds and without: attacks.json; PROVE=true shows what each attack fools elsewhere
	$(BIN)/assay-attacks --assay $(BIN)/assay --starter $(STARTER) --data-dir build/attacks --out attacks.json --prove=$(PROVE) \
		--generated $(GENERATED) --seed $(SEED) --searched quick --fresh=false --drawn $(DRAWN)

attacks-full: build starter ## all of that, and each generated attack: attacks-full.json, which is gone on with; SHARD=1/2 a part of them, PLAYS=60 plays of each way to guess
	$(BIN)/assay-attacks --assay $(BIN)/assay --starter $(STARTER) --data-dir build/attacks --out attacks-full.json --prove=$(PROVE) \
		--generated -1 --seed $(SEED) --resume --shard $(SHARD) --searched $(SEARCHED) --plays $(PLAYS) --honest-plays $(HONEST_PLAYS)

sdk: build starter ## the unmodified Python SDK against a running server
	e2e/sdk/run --assay $(BIN)/assay --starter $(STARTER)

openapi: build starter ## the served OpenAPI document against a running server
	e2e/schemathesis/run --assay $(BIN)/assay --starter $(STARTER)

soak: build starter ## kill a server in use for MINUTES, and hold what it tells against the truth: soak.json
	$(BIN)/assay-soak --assay $(BIN)/assay --starter $(STARTER) --dir build/soak --minutes $(MINUTES) --seed $(SEED) --database-url "$(DATABASE_URL)"

brief-soak: MINUTES := 2
brief-soak: soak

bench: build starter ## measure speed and memory against the host; needs a quiet machine
	CGO_ENABLED=0 $(GO) build -ldflags '-s -w' -o $(BIN)/assay-bench ./e2e/bench
	$(BIN)/assay-bench --assay $(BIN)/assay --starter $(STARTER) --dir build/bench --out bench.json

lint: ## golangci-lint; .golangci.yml gives a reason for each exception
	$(GO) run $(GOLANGCI) run ./...

clean: ## remove what was built
	rm -rf $(BIN) build
