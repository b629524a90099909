# Everything a newcomer needs is two commands: `make serve` and `make test`.
SWIFT ?= swift
SCRATCH ?= .build

.PHONY: setup setup-postgres serve serve-postgres test check bench docs api plugins soak mutants tsan fuzz processes attacks browser clean

# Installs what is missing of the two system libraries. Needs Debian or Ubuntu only when something is missing.
setup:
	@command -v $(SWIFT) >/dev/null || { echo "Swift 6.3 is needed: see https://www.swift.org/install"; exit 1; }
	@missing=""; \
	command -v pkg-config >/dev/null || missing="pkg-config"; \
	[ -e /usr/include/sqlite3.h ] || pkg-config --exists sqlite3 2>/dev/null || missing="$$missing libsqlite3-dev"; \
	[ -e /usr/include/zlib.h ] || pkg-config --exists zlib 2>/dev/null || missing="$$missing zlib1g-dev"; \
	[ -e /usr/include/lmdb.h ] || pkg-config --exists lmdb 2>/dev/null || missing="$$missing liblmdb-dev"; \
	if [ -n "$$missing" ]; then \
	  echo "Installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq $$missing; \
	fi

# Builds the server and runs it on its embedded default: SQLite at atomsync.db, http://127.0.0.1:8090/sync.
serve: setup
	$(SWIFT) build --scratch-path $(SCRATCH) --product atomsync-server
	$(SCRATCH)/debug/atomsync-server $(ARGS)

# Installs PostgreSQL and its client library, for the tests and for a server that keeps documents there.
setup-postgres: setup
	@missing=""; \
	pkg-config --exists libpq 2>/dev/null || missing="$$missing libpq-dev"; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	if [ -n "$$missing" ]; then \
	  echo "Installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
	  $$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $$missing; \
	fi

# Two servers on one PostgreSQL of their own, until stopped.
POSTGRES ?= .postgres
serve-postgres: setup-postgres
	$(SWIFT) build --scratch-path $(SCRATCH)-postgres --traits Postgres --product atomsync-server
	Tests/Postgres/serve.sh $(SCRATCH)-postgres/debug/atomsync-server $(POSTGRES)

# One target after the other: all at once they take longer, and those that compute starve those that watch the clock.
TESTS = $(shell grep -A 1 testTarget Package.swift | sed -n 's/.*name: "\([A-Za-z]*\)".*/\1/p')
test: setup-postgres
	Tests/Browser/run.sh --unit
	$(SWIFT) build --scratch-path $(SCRATCH) --build-tests
	for target in $(TESTS); do \
	  $(SWIFT) test --scratch-path $(SCRATCH) --skip-build --filter "^$$target\." || exit 1; \
	done

# Formatting, and that modules import only what lies below them.
check:
	Tests/Structure/imports.py
	$(SWIFT) format lint --strict --recursive Sources Tests Plugins Docs/Examples Package.swift

# Pages in headless Chromium, with a replica in Swift: a few minutes. Installs Chromium and Node where they are missing.
browser: setup
	@missing=""; \
	command -v chromium >/dev/null || missing="chromium"; \
	command -v node >/dev/null || missing="$$missing nodejs"; \
	if [ -n "$$missing" ]; then \
	  echo "Installing$$missing"; \
	  sudo=""; [ "$$(id -u)" = 0 ] || sudo="sudo"; \
	  $$sudo apt-get update -qq && $$sudo apt-get install -y -qq $$missing; \
	fi
	Tests/Browser/run.sh $(ARGS)

# Release benchmarks, half an hour with their build; ARGS chooses some.
bench: setup
	$(SWIFT) run -c release --package-path Tests/Benchmarks transit-benchmarks $(ARGS)
	$(SWIFT) run -c release --package-path Tests/Benchmarks atomsync-benchmarks $(ARGS)
	$(SWIFT) run -c release --package-path Tests/Benchmarks atomsync-http-benchmarks $(ARGS)

# The documentation of the libraries, as a web site in .build-docs/site. Warnings are errors.
docs: setup
	Tests/Documentation/build.sh $(SCRATCH) $(SCRATCH)-docs

# The public API of the libraries, into Docs/API; with ARGS=--check, whether that is what there is.
api: setup
	Tests/Documentation/api.sh $(SCRATCH) $(SCRATCH)-docs $(ARGS)

# Both plugins, from a package outside: a quarter of an hour, most of it a build from scratch.
plugins: setup
	Tests/Plugins/run.sh

# Simulations until stopped; ARGS="FIRST-SEED COUNT" for some.
soak: setup
	$(SWIFT) run -c release --scratch-path $(SCRATCH)-release AtomsyncSoak $(ARGS)

# Puts mistakes into a copy, one at a time, and sees that each is found: over an hour; ARGS chooses some by number.
mutants: setup
	Tests/Mutations/run.sh $(ARGS)

# The engine's tests under the thread sanitizer.
tsan: setup
	$(SWIFT) test --scratch-path $(SCRATCH)-tsan --sanitize=thread --filter AtomsyncTests

# Fuzzes each reader and the transcoder; MINUTES each.
MINUTES ?= 20
fuzz:
	for target in JSONReader MessagePackReader EDNReader Transcoder; do \
	  Tests/Fuzz/run.sh $$target $(MINUTES) || exit 1; \
	done

# Kills and obstructs real processes, for half an hour.
processes: setup
	Tests/Processes/servers.sh
	Tests/Processes/clients.sh
	Tests/Processes/examples.sh
	Tests/Processes/links.sh
	Tests/Processes/kill.sh $(ARGS)
	Tests/Processes/pushes.sh
	Tests/Processes/faults.sh
	Tests/Processes/node.sh

# Attacks a server, and sees what each attack costs it.
attacks: setup
	Tests/Attacks/attacks.sh $(ARGS)

clean:
	rm -rf .build .build-*
