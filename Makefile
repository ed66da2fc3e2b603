# Developers' verbs. Operators use ./notehive.
python := .notehive/dev/bin/python
pytest := $(python) -m pytest
side_by_side := --numprocesses=2 --dist=loadfile

.PHONY: test lint test-unit test-jenkins test-cluster test-images test-stack test-long bench requirements docs

# All but what takes long, in the order of its cost. Sets up the machine by itself: Docker engine,
# images, Chromium, Groovy. Uses a stack name, ports and a subnet of its own.
test: lint .notehive/chromium .notehive/groovy
	$(pytest) $(side_by_side) tests/unit tests/jenkins
	$(pytest) tests/stack tests/browser
	$(pytest) $(side_by_side) tests/images
	$(pytest) tests/cluster

# Formatting, style, types, and that what is generated is up to date.
lint: .notehive/dev/.stamp
	$(python) -m ruff format --check src tests bench hub examples
	$(python) -m ruff check src tests bench hub examples
	$(python) -m mypy
	PYTHONPATH=src $(python) -m tests.generated

# Without Docker, in seconds.
test-unit: .notehive/dev/.stamp
	$(pytest) $(side_by_side) tests/unit $(only)

# Jenkins' pipeline, jobs and rules, run by Groovy.
test-jenkins: .notehive/dev/.stamp .notehive/groovy
	$(pytest) tests/jenkins $(only)

# On a real Swarm. `make test-stack only="-k mlflow"` for some of them.
test-stack: .notehive/dev/.stamp .notehive/chromium
	$(pytest) tests/stack tests/browser $(only)

# On three nodes, which are namespaces of this machine: engines of their own, a Swarm of their own.
test-cluster: .notehive/dev/.stamp
	$(pytest) tests/cluster $(only)

test-images: .notehive/dev/.stamp
	$(pytest) $(side_by_side) tests/images $(only)

# What takes long by its nature: before a release, and after a change of what it is about. Results
# of tests/long are in tests/long/results/.
test-long: .notehive/dev/.stamp .notehive/chromium .notehive/tls-tools
	for part in "tests/stack tests/browser" tests/cluster tests/long; do \
	  $(pytest) -m long $$part $(only) || [ $$? = 5 ] || exit 1; \
	done  # 5: none of these was meant

# Measures what is promised to operators and users; results in bench/results/.
bench: .notehive/dev/.stamp
	PYTHONPATH=src $(python) -m bench.up
	PYTHONPATH=src $(python) -m bench.build
	PYTHONPATH=src $(python) -m bench.spawn
	PYTHONPATH=src $(python) -m bench.many
	PYTHONPATH=src $(python) -m bench.gate
	PYTHONPATH=src $(python) -m bench.batch
	PYTHONPATH=src $(python) -m bench.dags
	PYTHONPATH=src $(python) -m tests.generated --write

# Builds one image by its name: make image/hub
image/%: .notehive/dev/.stamp
	@./notehive image $*

# Resolves all Python requirements anew.
requirements: .notehive/dev/.stamp
	PATH=$(dir $(python)):$$PATH requirements/renew --upgrade

# Writes docs/settings.md from the code, and the tables of bench/README.md from the results.
docs: .notehive/dev/.stamp
	PYTHONPATH=src $(python) -m tests.generated --write

# The developers' environment; python3 -m venv may need the distribution's python3-venv.
.notehive/dev/.stamp: requirements/dev.txt notehive requirements/cli.txt
	./notehive --help >/dev/null
	rm -rf .notehive/dev
	.notehive/venv/bin/python3 -m venv .notehive/dev
	$(python) -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
	touch $@

# An ACME server and a scanner for the tests of TLS: the distribution's, if there are none.
.notehive/tls-tools:
	{ command -v pebble && command -v testssl; } >/dev/null || { apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends pebble testssl.sh; } >/dev/null
	mkdir -p .notehive && touch $@

# Groovy, for what Jenkins would run: the distribution's, if there is none.
.notehive/groovy:
	{ command -v groovy && test -e /usr/lib/jvm/default-java; } >/dev/null || { apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends default-jre-headless groovy; } >/dev/null
	mkdir -p .notehive && touch $@

# A browser for the tests: the distribution's, if there is none.
.notehive/chromium:
	command -v chromium >/dev/null || { apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium fonts-dejavu; } >/dev/null
	mkdir -p .notehive && ln -sf "$$(command -v chromium)" $@
