# SimKube. `make` alone lists the targets. Go, git and make are all that is needed.

GO      ?= go
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# Every target builds with the same flags: a package compiled with others would be
# compiled again, and Kubernetes takes minutes.
export CGO_ENABLED := 0
export GOFLAGS := $(strip $(filter-out -trimpath,$(shell $(GO) env GOFLAGS)) -trimpath)

# Lint keeps what it found beside the build cache, so that whoever keeps that has both.
export GOLANGCI_LINT_CACHE ?= $(abspath $(shell $(GO) env GOCACHE)/../golangci-lint)

LDFLAGS := -s -w -X main.version=$(VERSION)
MODULES := . cluster

# Kubernetes takes its own version from the linker, and kubectl insists on one it can parse.
KUBERNETES = $(shell cd cluster && $(GO) list -m -f '{{.Version}}' k8s.io/kubernetes)
KUBERNETES_LDFLAGS = $(foreach v,gitVersion=$(KUBERNETES) gitMajor=$(word 1,$(subst ., ,$(KUBERNETES:v%=%))) \
	gitMinor=$(word 2,$(subst ., ,$(KUBERNETES:v%=%))) gitTreeState=clean,-X k8s.io/component-base/version.$(v))

GENERATED := api config/crd docs/api-reference.md examples/*.sktrace

# The path of a tool pinned in tools/go.mod, built when needed.
tool = "$$(GOWORK=off $(GO) tool -modfile=$(CURDIR)/tools/go.mod -n $(1))"

DEMO_TRACE ?= examples/day.sktrace
DEMO_OUT   ?= demo-result

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##

.PHONY: build
build: bin/skctl bin/sk-tracer bin/sk-ctrl bin/sk-driver bin/sk-cluster bin/sk-cluster-virtual ## Build skctl, sk-tracer, sk-ctrl, sk-driver and the two sk-clusters into bin/

.PHONY: bin/skctl bin/sk-tracer bin/sk-ctrl bin/sk-driver
bin/skctl bin/sk-tracer bin/sk-ctrl bin/sk-driver:
	$(GO) build -ldflags '$(LDFLAGS)' -o $@ ./cmd/$(@F)

.PHONY: bin/sk-cluster
bin/sk-cluster:
	@test -e $@ || echo "Compiling Kubernetes: some minutes the first time, seconds from then on."
	cd cluster && $(GO) build -ldflags '$(LDFLAGS) $(KUBERNETES_LDFLAGS)' -o ../$@ ./cmd/sk-cluster

# kubectl as it belongs to this Kubernetes, for those who have none. No test needs it.
.PHONY: bin/kubectl
bin/kubectl:
	@test -e $@ || echo "Compiling kubectl: a minute or two the first time."
	cd cluster && $(GO) build -ldflags '$(LDFLAGS) $(KUBERNETES_LDFLAGS)' -o ../$@ k8s.io/kubernetes/cmd/kubectl

# The same program once more, on a clock that jumps: see docs/contributing/virtual-time.md. The runtime's fake clock is set
# through its own variables, which the linker has to allow.
VIRTUAL = -tags faketime -overlay ../bin/.overlay/overlay.json

.PHONY: bin/.overlay
bin/.overlay:
	cd cluster && $(GO) run ./internal/overlay ../$@

.PHONY: bin/sk-cluster-virtual
bin/sk-cluster-virtual: bin/.overlay
	@test -e $@ || echo "Compiling Kubernetes for virtual time: some minutes the first time."
	cd cluster && $(GO) build $(VIRTUAL) \
		-ldflags '$(LDFLAGS) $(KUBERNETES_LDFLAGS) -checklinkname=0' -o ../$@ ./cmd/sk-cluster

# The servers that the tests of package storage run against. They are modules and packages of others, pinned in
# test/servers, and are built once: a newer go.mod or package-lock.json builds them again.
.PHONY: test-servers
test-servers: bin/versitygw bin/fake-gcs-server bin/azurite/node_modules/.bin/azurite-blob ## Build the storage servers of the tests

bin/versitygw: test/servers/go.mod test/servers/go.sum
	cd test/servers && GOWORK=off $(GO) build -ldflags '-s -w' -o ../../$@ github.com/versity/versitygw/cmd/versitygw

bin/fake-gcs-server: test/servers/go.mod test/servers/go.sum
	cd test/servers && GOWORK=off $(GO) build -ldflags '-s -w' -o ../../$@ github.com/fsouza/fake-gcs-server

bin/azurite/node_modules/.bin/azurite-blob: test/servers/azurite/package.json test/servers/azurite/package-lock.json
	mkdir -p bin/azurite && cp $^ bin/azurite/
	cd bin/azurite && npm ci --ignore-scripts --no-audit --no-fund --loglevel error
	touch $@

.PHONY: demo
demo: build ## Simulate the example day and say where the report is
	bin/skctl simulate $(DEMO_TRACE) --output $(DEMO_OUT) --overwrite

# With TIMES=DIR, go test writes there what took how long; make test-times makes a table of it.
times = $(TEST_FLAGS) $(if $(TIMES),-debug-actiongraph=$(abspath $(TIMES))/$(1).json)

# Tests on the wall clock mostly wait. Those that compute, and those in virtual time, take as long as the processors
# need: they run beside the others, with less priority.
.PHONY: test
test: build bin/kubectl ## Run every test
	$(MAKE) --no-print-directory --keep-going --jobs 3 --output-sync=target test-cluster test-compute test-programs

.PHONY: test-cluster
test-cluster:
	cd cluster && $(GO) test $(call times,cluster) -ldflags '-s -w' -timeout 30m -p 3 ./internal/simtest ./internal/tracertest ./internal/drivertest ./...

.PHONY: test-programs
test-programs:
	$(GO) test $(call times,programs) -timeout 30m -parallel 3 ./test

.PHONY: test-compute
test-compute:
	nice $(MAKE) --no-print-directory --keep-going test-light test-tools test-virtual

.PHONY: test-light
test-light:
	$(GO) test $(call times,light) -timeout 30m -parallel 3 $$($(GO) list ./... | grep -v '/simkube/test$$')

.PHONY: test-tools
test-tools:
	cd images && GOWORK=off $(GO) test $(call times,images) ./...
	cd tools && GOWORK=off $(GO) test $(call times,tools) ./...
	cd tools/helm && GOWORK=off $(GO) test $(call times,helm) ./...

# The tests of the cluster module once more, on the clock that jumps; without those of the tools for it, and those of
# programs that live on the wall clock. go test's own time-out would count virtual time. What the tests share with the
# other clock was vetted there.
.PHONY: test-virtual
test-virtual: bin/.overlay ## Run the cluster's tests in virtual time
	cd cluster && $(GO) build -o ../bin/.playback ./internal/playback
	cd cluster && $(GO) test $(call times,virtual) $(VIRTUAL) -ldflags '-s -w -checklinkname=0' -vet=off -timeout 0 -exec '$(CURDIR)/bin/.playback -limit 10m' \
		$$($(GO) list ./... | grep -vE '/internal/(overlay|playback|simtest|drivertest|testkubelet)$$')

.PHONY: test-times
test-times: ## Run every test anew, and print what each package's took
	rm -rf bin/.times && mkdir -p bin/.times
	$(MAKE) test TIMES=bin/.times TEST_FLAGS='$(TEST_FLAGS) -count 1'
	cd tools && GOWORK=off $(GO) run ./testtimes ../bin/.times/*.json

# The race detector needs cgo and a C compiler, and has everything compiled once more: Kubernetes too, which takes ten minutes and more.
# Virtual time is left out, as its clock stands still while a goroutine runs: package playback is nothing but that, and package overlay
# makes the files for it.
# Package simtest runs programs that are built with the detector, and reads what it prints in their logs. Package test of the light
# module is left out: it runs programs that are built without it, and what they do is run by the tests of their packages.
RACE_CLUSTER ?= $$($(GO) list ./... | grep -vE '/internal/(overlay|playback)$$')

.PHONY: race
race: export CGO_ENABLED := 1
race: race-light ## Run the tests with the race detector (a C compiler is needed, and half an hour)
	cd cluster && SIMKUBE_RACE=1 $(GO) test -race -timeout 60m $(RACE_CLUSTER)

.PHONY: race-light
race-light: export CGO_ENABLED := 1
race-light: ## The same, without the module that compiles Kubernetes
	$(GO) test -race -timeout 60m $$($(GO) list ./... | grep -v '/simkube/test$$')

.PHONY: bench
bench: build ## Run the benchmarks (docs/contributing/benchmarks.md says what they show)
	$(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...
	cd cluster && $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 30m ./...

.PHONY: lint
lint: ## Vet, staticcheck, gofumpt and the house rules, over both modules
	@for module in $(MODULES); do \
		echo "lint $$module"; \
		(cd $$module && $(GO) vet ./... && \
			$(call tool,golangci-lint) run --config $(CURDIR)/.golangci.yml ./...) || exit 1; \
	done

.PHONY: fmt
fmt: ## Format the code
	$(call tool,gofumpt) -l -w $$(git ls-files '*.go' | grep -v zz_generated)

.PHONY: generate
generate: ## Write the generated files: deepcopy code, CRDs, example traces
	$(call tool,controller-gen) object paths=./api/v1 \
		crd:allowDangerousTypes=true output:crd:dir=config/crd
	"$$(cd tools/apidocs && GOWORK=off $(GO) tool -n crd-ref-docs)" --log-level ERROR --source-path api/v1 --config tools/apidocs/config.yaml \
		--renderer markdown --output-path docs/api-reference.md
	$(GO) run ./examples/generate -o examples/day.sktrace -seed 1
	$(GO) run ./examples/generate -trace first-steps -o examples/first-steps.sktrace

# Not part of generate: it downloads from the Go module proxy and, with python3 and pip, from PyPI.
.PHONY: instance-types
instance-types: ## Write the built-in list of AWS's instance types, from published figures
	cd tools && GOWORK=off $(GO) run ./instancetypes -o ../internal/instancetypes/aws.csv

.PHONY: verify
verify: generate ## Fail if a generated file is not what is committed
	git diff --exit-code -- $(GENERATED)
	@test -z "$$(git status --porcelain -- $(GENERATED))" || \
		{ git status --short -- $(GENERATED); echo "generated files are not committed"; exit 1; }

# Two platforms, in a module of its own: nothing else depends on what makes images. PUSH=registry.example.com/simkube pushes them too.
IMAGE_PROGRAMS = sk-ctrl sk-driver sk-tracer
IMAGE_ARCHS    = amd64 arm64
TAG           ?= latest

.PHONY: images
images: ## Make the images of sk-ctrl, sk-driver and sk-tracer, as OCI layouts, without Docker
	@for arch in $(IMAGE_ARCHS); do for program in $(IMAGE_PROGRAMS); do \
		echo "build $$program for $$arch"; \
		GOOS=linux GOARCH=$$arch $(GO) build -ldflags '$(LDFLAGS)' -o bin/images/programs/linux_$$arch/$$program ./cmd/$$program || exit 1; \
	done; done
	cd images && GOWORK=off $(GO) test ./...
	cd images && GOWORK=off $(GO) run . -programs ../bin/images/programs -o ../bin/images -version '$(VERSION)' \
		-revision '$(shell git rev-parse HEAD 2>/dev/null)' -tag '$(TAG)' -push '$(PUSH)'

# Helm is a module of its own: nothing else depends on it.
.PHONY: chart
chart: ## Copy definitions, stages and values' comments into the Helm chart, and test it
	cd tools/helm && GOWORK=off $(GO) test ./... -update
	cd tools/helm && GOWORK=off $(GO) test -count 1 ./...

.PHONY: clean
clean: ## Remove what was built and simulated here
	rm -rf bin $(DEMO_OUT)
