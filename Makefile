# The commands of the project. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

GO_TEST_FLAGS ?= -p 2 -timeout 40m
# The browser tests take longest, so they begin first.
PKG ?= ./web ./...

.PHONY: help
help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: demo
demo: ## install what is missing, build, and run everything on this machine
	scripts/install.sh postgresql temporal
	$(MAKE) --no-print-directory build
	bin/optria dev

.PHONY: build
build: ## build bin/optria
	go build -trimpath -o bin/optria ./cmd/optria

.PHONY: deps
deps: ## install PostgreSQL, Chromium and the counterparts of connector tests where missing, build the Temporal development server
	scripts/install.sh

.PHONY: test
test: deps ## go vet and all tests, against real PostgreSQL, Temporal and Chromium
	go vet $(PKG)
	go test $(GO_TEST_FLAGS) $(PKG)
	go -C cmd/temporaldev test ./...
	CGO_ENABLED=0 go -C cmd/tools test ./...

.PHONY: lint
lint: ## every static check (the first time builds the tools, a few minutes)
	scripts/lint.sh

.PHONY: generate
generate: ## regenerate the database code from queries/ and db/migrations/
	CGO_ENABLED=0 nice -n 5 go tool -modfile=cmd/tools/go.mod sqlc generate

.PHONY: ui
ui: ## rebuild the style sheet and scripts in web/static (needs Node 20)
	cd web/frontend && npm ci --no-audit --no-fund && npm run build

.PHONY: bench
bench: deps build ## run the benchmarks of docs/BENCHMARKS.md (a quiet machine, about an hour)
	go test -p 1 -run '^$$' -bench Ingest -benchtime 5x -count 3 ./activities
	go test -p 1 -run '^$$' -bench Sweep -benchtime 3x -timeout 60m ./activities
	go test -p 1 -run '^$$' -bench Runs -benchtime 64x -count 3 ./workflows
	go test -p 1 -run '^$$' -bench Load -benchtime 1x -count 3 -timeout 40m ./workflows
	go test -p 1 -run '^$$' -bench Pages -benchtime 100x -count 3 ./web
	go test -p 1 -run '^$$' -bench 'Fleet' -benchtime 3x ./internal/optimize/maintenance
	scripts/bench-start.sh 3

.PHONY: doctor
doctor: build ## check this machine and the configuration
	bin/optria doctor
