# `make demo` and `make test` are the two commands; `make help` lists all.
PYTHON ?= python3
PY := .venv/bin/python
# Checks that look at the settings, not at a database.
CHECKED := SECRET_KEY=only-for-checks-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEF \
	DATABASE_URL=postgres://checked@127.0.0.1:1/checked BROKER_URL=redis://127.0.0.1:1/0 LOG_LEVEL=WARNING \
	DATABASE_POOL=0
.PHONY: help demo stop test check format lint imports types migrations settings bench bench-imports bench-analysis bench-inference bench-reading real-data mutation studies load-studies serve worker inference needs-python
.SILENT:
# Where it is set, every process would compile the same modules again.
unexport PYTHONDONTWRITEBYTECODE

help:
	echo "make demo             the whole site on this machine, with a demo study (PORT=8010 chooses the port)"
	echo "make stop             ends a demo that runs in another terminal"
	echo "make test             all checks and all tests (PYTEST='tests/analysis -k delong' chooses tests)"
	echo "make check            the checks alone: format, lint, imports, types, migrations, settings"
	echo "make bench            the benchmarks"
	echo "make bench-analysis   the statistics beside scikit-learn, statsmodels, MLstatkit and, where R is, pROC"
	echo "make bench-inference  the networks beside eager torch: milliseconds, memory, two workers"
	echo "make bench-reading    what a reader waits for: radiographs and CT in headless Chromium (OPENINGS=30)"
	echo "make bench-imports    a CT of 300 slices and 1,000 radiographs imported, beside their decoder alone"
	echo "make real-data        chest films, lumbar MR, CT and MR volumes of ../shared/data: numbers and pages (REAL=chest chooses one)"
	echo "make mutation         faults put into the statistics: how many do the tests find (MUTATE=delong chooses a module)"
	echo "make study-s0         one of the five published studies (s0 … s4) on synthetic cases, from cohort to criteria (PRESET=ci, small, full)"
	echo "make studies          all five"
	echo "make load-s0          the same study on the demo that runs in another terminal: cases, models, simulated readers, lock, results"
	echo "make load-studies     all five"
	echo "make serve            web server from environment variables (README.md lists them)"
	echo "make worker           worker of the queue readerstudy, from the same variables"
	echo "make inference        worker of the queue inference, from the same variables"

demo: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements.txt
	$(PY) -m readerstudy.embedded.demo

stop:
	$(PY) -m readerstudy.embedded.demo --stop

# One more than the processors of a small machine: drills and browsers leave them idle for a third of the time.
TEST_PROCESSES ?= 3

test: check
	$(PY) tests/equipment.py
	echo "== tests"
	$(PY) -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder -q $(PYTEST)

# Types, which take longest, beside the others.
check: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-test.txt
	$(MAKE) --no-print-directory --jobs 2 --output-sync types format lint imports migrations settings

format:
	echo "== format" && $(PY) -m ruff format --check --quiet .

lint:
	echo "== lint" && $(PY) -m ruff check --quiet .

imports:
	echo "== imports" && .venv/bin/lint-imports --no-logo

types:
	echo "== types" && $(CHECKED) $(PY) -m mypy

migrations:
	echo "== migrations" && $(CHECKED) $(PY) -W ignore manage.py makemigrations --check --dry-run

settings:
	echo "== settings" && $(CHECKED) $(PY) manage.py check --deploy --fail-level WARNING

bench: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-test.txt
	$(PY) -m tests.benchmarks

bench-analysis: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-bench.txt
	$(PY) -m tests.benchmarks.statistics

bench-inference: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-bench.txt
	$(PY) -m tests.benchmarks.inference

bench-reading: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-test.txt
	$(PY) tests/equipment.py
	$(PY) -m tests.benchmarks.reading

bench-imports: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-test.txt
	$(PY) -m tests.benchmarks.imports

# A set that was stopped goes on in its folder.
real-data: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-test.txt
	OMP_NUM_THREADS=1 $(PY) -m tests.benchmarks.real $(REAL) --out var/real

mutation: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements-bench.txt
	$(PY) -m tests.mutation $(MUTATE)

# PRESET=full has the published sizes; a study that was stopped goes on in its folder.
STUDY_WORKERS = 2
PRESET ?= small
study-%: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements.txt
	$(PY) -m inference study $* --preset $(PRESET) --workers $(STUDY_WORKERS) --out var/studies/$*-$(PRESET)

# Two studies at once, one process each: none waits for the longest model of another.
studies: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements.txt
	$(MAKE) --no-print-directory --jobs 2 --output-sync STUDY_WORKERS=1 study-s3 study-s2 study-s0 study-s4 study-s1

load-studies: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements.txt
	$(PY) -m readerstudy.embedded.loading s0 s1 s2 s3 s4 --preset $(PRESET)

load-%: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements.txt
	$(PY) -m readerstudy.embedded.loading $* --preset $(PRESET)

serve: needs-python
	$(PYTHON) readerstudy/embedded/virtual.py requirements.txt
	$(PY) manage.py migrate --verbosity 0
	$(PY) manage.py collectstatic --verbosity 0 --no-input
	exec .venv/bin/gunicorn -c python:readerstudy.serving

worker:
	exec .venv/bin/celery -A readerstudy worker -B --queues readerstudy --loglevel INFO --concurrency 2

inference:
	exec .venv/bin/celery -A inference.worker worker --queues inference --pool solo --loglevel INFO

needs-python:
	command -v $(PYTHON) > /dev/null || { echo "Python 3.11 or newer is needed; install it, or say where: make PYTHON=/path/to/python3"; exit 1; }
