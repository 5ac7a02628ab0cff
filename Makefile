# make benchmark  runs the main job; make test passes the tests. Both set everything up in .venv first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# A strict editable install links file by file, so a file that comes or goes asks for a new install. So does a change
# of compiled code: numba caches a function by its own file, and would miss changes in those it calls.
FILES := $(shell (find mec_cf_gym baselines agents -name '*.py' -o -name '*.safetensors' -o -name '*.yml' \
	-o -name '*.json' -o -path '*/page/*' | sort; \
	cat mec_cf_gym/kernels/*.py baselines/fast/*.py baselines/dynamic/*.py) | cksum | cut -d' ' -f1)
INSTALLED := .venv/installed-$(FILES)
# One thread per process: the work is spread over processes, and small matrices gain nothing from threads.
export OMP_NUM_THREADS := 1

.PHONY: install benchmark bench-speed league test lint types docs wheel constraints

install: $(INSTALLED)

$(INSTALLED): pyproject.toml setup.cfg constraints.txt
	$(PYTHON) -m venv .venv
	rm -rf build .venv/installed-*
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--config-settings editable_mode=strict --editable '.[all,dev,docs]'
	touch $@

benchmark: install
	$(BIN)/mec-cf-gym benchmark --resume $(OPTIONS)

# Runs the league table's suite, or the rest of it, and writes its results into the README and the manual.
league: install
	$(BIN)/mec-cf-gym benchmark --suite full --resume --out runs/league $(OPTIONS)
	$(BIN)/python benchmarks/league.py runs/league

bench-speed: install
	$(BIN)/python benchmarks/speed.py $(OPTIONS)

test: install
	$(BIN)/pytest --numprocesses auto --dist loadfile $(OPTIONS)

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: install
	$(BIN)/mypy

docs: install
	$(BIN)/sphinx-build --fail-on-warning --quiet docs docs/_build

# Builds the wheel, installs it without extras in a new environment and runs it from an empty folder.
wheel: install
	rm -rf dist .venv/wheel && mkdir -p .venv/wheel/empty
	$(BIN)/python -m build --wheel . > .venv/wheel/log || (cat .venv/wheel/log; false)
	$(PYTHON) -m venv .venv/wheel/env
	.venv/wheel/env/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt dist/*.whl
	cd .venv/wheel/empty && ../env/bin/python $(CURDIR)/.ci/check_wheel.py

# Pins what is installed now, for reproducible installs.
constraints: install
	$(BIN)/pip freeze --exclude-editable | sed 's/+cpu//' > constraints.txt
