# memfeat: `make demo` and `make test` are all that a fresh machine needs. GNU make 3.81 or newer.
# Every command runs in .venv, which make creates; no other Python environment is touched.

.PHONY: help setup demo features fit evaluate test lint types doctest bench bench-quick docs clean FORCE
.DEFAULT_GOAL := help

VENV := .venv
PY := $(VENV)/bin/python
MEMFEAT := $(VENV)/bin/memfeat

# What the targets take, as `make fit DATASET=name TARGET=memorability`; these are not read from the environment.
DATASET =
MODEL =
FEATURES =
TARGET =
RUN =
ARGS =
# And what a machine may set once and for all.
PYTHON ?=
EXTRAS ?=
JOBS ?= 2

export PIP_DISABLE_PIP_VERSION_CHECK = 1
export PIP_NO_INPUT = 1
export PIP_USER = 0
export PYTHONNOUSERSITE = 1
unexport PYTHONPATH PYTHONHOME PIP_TARGET PIP_PREFIX

comma := ,
empty :=
space := $(empty) $(empty)
quote = '$(subst ','\'',$(1))'
option = $(if $(2),$(1) $(call quote,$(2)))

# One stamp per set of extras: pip runs again only when pyproject.toml changed, the folder was moved or Python went away.
STAMP = $(VENV)/.installed-$(subst $(comma),-,$(subst $(space),,$(or $(EXTRAS),dev)))
BASE = $(VENV)/.installed-base
STALE := $(shell [ -x $(PY) ] && [ "$$(cat $(VENV)/.folder 2>/dev/null)" = "$$(pwd -P)" ] || echo FORCE)

help:
	@echo "memfeat: videos and images in, feature stores and memorability scores out."
	@echo
	@echo "  make demo                      install, then the whole way on generated clips: extract, fit, judge"
	@echo "  make features DATASET=name     extract the features of a recipe into features/name"
	@echo "  make fit DATASET=name          fit and judge a model    [MODEL=brr FEATURES=a,b TARGET=t]"
	@echo "  make evaluate RUN=folder       judge a saved run again"
	@echo "  make test                      run the test suite       [EXTRAS=dev,docs,deep JOBS=2]"
	@echo "  make lint | types | doctest    ruff | mypy | every example in a docstring"
	@echo "  make bench | bench-quick       measure against plain implementations"
	@echo "  make docs                      build the manual in docs/_build/html"
	@echo "  make setup                     install only             [EXTRAS=dev,docs,deep]"
	@echo "  make clean                     remove caches and builds; stores, runs and data stay"
	@echo
	@echo "ARGS='...' is passed on to memfeat or pytest; PYTHON=path picks the interpreter for .venv."

FORCE:

# A Python >= 3.11 that can make virtual environments. One that lacks ensurepip is named in the message.
$(PY):
	@if [ -e $(VENV) ] && [ ! -e $(VENV)/.folder ]; then \
	  echo "$(VENV) exists, but make did not make it and it has no working bin/python." >&2; \
	  echo "Move it away, or choose another folder: make VENV=.venv-make" >&2; exit 1; \
	fi; \
	chosen=; lacking=; \
	for candidate in $(if $(PYTHON),$(call quote,$(PYTHON)),python3.14 python3.13 python3.12 python3.11 python3 python); do \
	  command -v "$$candidate" >/dev/null 2>&1 || continue; \
	  "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  if "$$candidate" -c 'import ensurepip, ssl, venv' >/dev/null 2>&1; then chosen=$$candidate; break; fi; \
	  lacking=$$candidate; \
	done; \
	if [ -z "$$chosen" ]; then \
	  if [ -n "$$lacking" ]; then \
	    echo "$$lacking cannot make virtual environments: it lacks venv, ensurepip or ssl." >&2; \
	  else \
	    echo "There is no Python 3.11 or newer here"$(if $(PYTHON)," as PYTHON="$(call quote,$(PYTHON)))"." >&2; \
	  fi; \
	  echo "  Debian, Ubuntu:  sudo apt-get install python3-venv" >&2; \
	  echo "  macOS:           brew install python@3.12" >&2; \
	  echo "  elsewhere:       make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$chosen" --version 2>&1) ($$(command -v "$$chosen"))"; \
	"$$chosen" -m venv --clear $(VENV) && pwd -P > $(VENV)/.folder

$(BASE): pyproject.toml $(STALE) | $(PY)
	@$(PY) -m pip --version >/dev/null 2>&1 || { \
	  echo "$(VENV) has no pip. Move it away (make makes its own), or choose another folder: make VENV=.venv-make" >&2; exit 1; }
	@echo "Installing memfeat and its libraries into $(VENV) (the first time takes a minute or two)"
	@$(PY) -m pip install --quiet --editable .
	@pwd -P > $(VENV)/.folder
	@touch $@

$(VENV)/.installed-%: $(BASE)
	@echo "Installing what the extras $(subst -,$(comma) ,$*) need into $(VENV)"
	@$(PY) -m pip install --quiet --editable '.[$(subst -,$(comma),$*)]'
	@touch $@

setup: $(if $(EXTRAS),$(STAMP),$(BASE))
	@echo "memfeat is ready: $(VENV)/bin/memfeat --help"

demo: $(BASE)
	@$(MEMFEAT) demo $(ARGS)

features: $(BASE)
	@$(if $(DATASET),,echo "Which dataset? make features DATASET=name, one of:" >&2; $(MEMFEAT) list recipes >&2; exit 2)
	@$(MEMFEAT) extract $(call quote,$(DATASET)) $(ARGS)

fit: $(BASE)
	@$(MEMFEAT) fit $(call option,--dataset,$(DATASET)) $(call option,--model,$(MODEL)) \
	  $(call option,--features,$(FEATURES)) $(call option,--target,$(TARGET)) $(ARGS)

evaluate: $(BASE)
	@$(if $(RUN),,echo "Which run? make evaluate RUN=runs/name" >&2; ls -d runs/*/ >&2 2>/dev/null; exit 2)
	@$(MEMFEAT) evaluate $(call quote,$(RUN)) $(ARGS)

# Two test processes, one thread each: the machine stays usable, and memory within bounds.
ONE_THREAD := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1

test: $(STAMP)
	@$(ONE_THREAD) $(PY) -m pytest -n $(JOBS) $(ARGS)

lint: $(STAMP)
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(MAKE) --no-print-directory types

types: $(STAMP)
	@$(PY) -m mypy

doctest: $(STAMP)
	@$(ONE_THREAD) $(PY) -m pytest -q -n $(JOBS) --doctest-modules --doctest-ignore-import-errors memfeat $(ARGS)

bench bench-quick: $(STAMP)
	@$(PY) -m benchmarks $(if $(filter bench-quick,$@),--quick) $(ARGS)

docs: $(VENV)/.installed-docs
	@$(PY) -m sphinx -q -W --keep-going -b html docs docs/_build/html
	@echo "Open docs/_build/html/index.html"

clean:
	@rm -rf build dist *.egg-info docs/_build docs/_generated .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
	@find memfeat tests docs benchmarks pipelines -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true
	@echo "Removed caches and builds. Kept: $(VENV), features, runs, data."
