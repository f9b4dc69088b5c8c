# `make demo` and `make test` are all one needs; both make the project's own environment first.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
NEWEST ?= .venv-newest
PROXY ?= .venv-proxy
REAL ?= .venv-real
COMMA := ,

.DEFAULT_GOAL := help
.PHONY: help install demo demo-live recording test thorough lint types wheel newest gateway test-real test-logins bench soak check format clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# uv installs in a quarter of a minute what takes pip more than one. It does not read pip's settings (an index of the
# company's, say): where it cannot install, pip does. Both compile the modules: else each first process would.
# $(1): the environment's folder. $(2): the packages and options.
define environment
@echo "Installing into $(1), with uv if it can and with pip if not: $(2)"
@$(PYTHON) -m venv $(1)
@uv --version > /dev/null 2>&1 || $(1)/bin/python -m pip install --quiet --disable-pip-version-check uv || true
@PATH="$$PATH:$(1)/bin" uv pip install --quiet --compile-bytecode --python $(1)/bin/python $(2) || { \
  echo "uv could not. Installing with pip, which takes a minute or more."; \
  $(1)/bin/python -m pip install --quiet --disable-pip-version-check $(2); }
endef

install: $(VENV)/.installed ## Make the project's environment: aider, this package (editable), the tools

$(VENV)/.installed: pyproject.toml hatch_build.py aider_stackspot.pth
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12) and "aider needs Python 3.10, 3.11 or 3.12: make PYTHON=python3.12")'
	$(call environment,$(VENV),--editable '.[aider$(COMMA)dev]')
	@$(BIN)/python -m pip check
	@touch $@

$(NEWEST)/.installed: pyproject.toml hatch_build.py aider_stackspot.pth
	$(call environment,$(NEWEST),--upgrade --editable '.[keyring]' litellm mcp pytest pytest-xdist hypothesis tenacity trustme)
	@touch $@

$(PROXY)/.installed: pyproject.toml hatch_build.py aider_stackspot.pth
	$(call environment,$(PROXY),--upgrade --editable '.[litellm-proxy]' litellm)
	@touch $@

demo: install ## The unmodified aider edits a file of a copy of this repository; needs no account
	$(BIN)/aider-stackspot demo --repo . --file aider_stackspot/__about__.py

demo-live: install ## The same with the real StackSpot and your STACKSPOTAI_* variables
	$(BIN)/aider-stackspot demo --repo . --file aider_stackspot/__about__.py --live

recording: install ## The picture in README, made from a real run
	$(BIN)/python docs/recording.py

test: install ## The fast tests (under five minutes on two cores)
	$(BIN)/python -m pytest -n 4 -q -m 'not slow and not thorough'

thorough: install ## Every input in every way to call, and more of the real aider (three minutes)
	$(BIN)/python -m pytest -n 4 -q -m 'thorough and not slow'

lint: install ## Style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install ## Types, as they are on each system
	$(BIN)/mypy
	$(BIN)/mypy --platform win32
	$(BIN)/mypy --platform darwin

format: install ## Mend style where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: install ## Build the wheel and try it in clean environments, alone and beside aider
	$(BIN)/python -m pytest -q tests/packaging -m slow

newest: $(NEWEST)/.installed ## LiteLLM's part of the tests with the newest litellm
	$(NEWEST)/bin/python -m pytest -n 2 -q -m 'not slow and not thorough' -W default --ignore tests/hosts/aider \
	  --ignore tests/pipeline/test_warm_up.py tests/api tests/faults tests/hosts/litellm tests/pipeline tests/tools

gateway: install ## The gateway's long tests: agent programs, generated requests; needs npm
	@command -v npm > /dev/null || { echo "make gateway needs npm; on Debian: apt-get install npm" >&2; exit 1; }
	$(BIN)/python -m pytest -q -m slow tests/gateway

$(REAL)/.installed: Makefile
	$(call environment,$(REAL),gguf xllamacpp==2026.10.11549)
	@touch $@

test-real: install $(REAL)/.installed $(PROXY)/.installed ## Real servers: llama.cpp with a tiny generated model, LiteLLM Proxy
	REAL_PYTHON=$(abspath $(REAL)/bin/python) REAL_LITELLM=$(abspath $(PROXY)/bin/litellm) \
	  $(BIN)/python -m pytest -q tests/real/real_llama_cpp.py tests/real/real_litellm_proxy.py

$(REAL)-logins/.installed: Makefile
	$(PYTHON) -m venv $(REAL)-logins
	$(REAL)-logins/bin/python -m pip install --quiet --disable-pip-version-check "authlib>=1.6,<2" "flask>=3,<4"
	npm install --silent --no-save --prefix $(REAL)-logins oidc-provider@8
	touch $@

test-logins: install $(REAL)-logins/.installed ## OAuth2 with real authorization servers (authlib, oidc-provider); needs npm
	REAL_AUTHLIB=$(abspath $(REAL)-logins/bin/python) REAL_NODE_MODULES=$(abspath $(REAL)-logins/node_modules) \
	  $(BIN)/python -m pytest -q tests/real/real_logins.py

bench: install $(PROXY)/.installed ## Measure against LiteLLM's own provider, its proxy and the wire (half an hour); writes build/*.json
	mkdir -p build
	$(BIN)/python -m benchmarks --json build/benchmarks.json
	$(BIN)/python -m benchmarks.gateway --json build/gateway.json --proxy $(PROXY)/bin/litellm
	$(BIN)/python -m benchmarks.memory --json build/memory.json
	$(BIN)/python -m benchmarks.plots

soak: install ## The long tests: load, attacks through the real aider, thousands of generated streams (a quarter of an hour)
	$(BIN)/python -m pytest -n 2 -q -m slow --ignore tests/packaging --ignore tests/gateway

check: test thorough lint types wheel newest test-real demo ## What CI runs

clean: ## Remove the environments and what was built
	rm -rf $(VENV) $(NEWEST) $(PROXY) $(REAL) $(REAL)-logins build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
