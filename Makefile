GO      ?= go
BIN     := bin/postdesk
# Fuzzing time for each target of `make fuzz`.
FUZZTIME ?= 30s

.DEFAULT_GOAL := build
.PHONY: help build run test check bench fuzz deps tools golden clean

help: ## list the targets
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

tools: ## say what is missing to build
	@command -v $(GO) >/dev/null || { echo "postdesk needs Go 1.26 or newer: install it from your system or the Go project" >&2; exit 1; }
	@command -v $${CC:-gcc} >/dev/null || { echo "postdesk needs a C compiler for SQLite: apt-get install gcc libc6-dev (or the like)" >&2; exit 1; }

build: tools ## build bin/postdesk
	@mkdir -p bin
	$(GO) build -trimpath -ldflags "-s -w -X main.version=$$(git describe --always --dirty 2>/dev/null || echo unknown)" -o $(BIN) ./cmd/postdesk

run: build ## build and start the demo: sample customers, in-process mail servers, nothing else needed
	$(BIN) demo

deps: ## install the real servers that the tests use (Debian/Ubuntu, as root or with sudo)
	@.ci/packages

test: tools deps check ## everything: checks, all tests with the real servers, PostgreSQL and SQLite
	POSTDESK_REQUIRE_SERVERS=1 $(GO) test -timeout 20m ./...

check: tools ## gofmt, vet, staticcheck, tidy module files, layers
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not formatted:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) tool staticcheck ./...
	$(GO) mod tidy -diff
	$(GO) test -run TestLayers ./cmd/postdesk

bench: build deps ## speed and memory, each as a ratio measured in one run
	$(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./cmd/postdesk

fuzz: ## every fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
		echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) $$pkg; done; done

golden: ## rewrite the golden files; read the diff before committing
	$(GO) test ./internal/email ./internal/email/body ./internal/reply ./internal/procedure -update

clean: ## remove what was built
	rm -rf bin
