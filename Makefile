# make demo    the whole store on this machine, without hardware        ARGS="--port 8000 --data DIR --history 30 --video FILE --check"
# make test    everything that is checked before a change is accepted   ARGS="--hypothesis-profile=long"
# make check   format, lint, types and import contracts only
# make faults  kills, power cuts and full disks                         ARGS="--help"
# make hardware  a simulated GPIO chip and a virtual camera (the first time they are built)  ARGS="-k pre_roll"
# make install-check  installs into clean Debian systems, with systemd as their init; needs root  ARGS="bookworm-amd64"
# make bench   how fast, beside the floor of this machine               ARGS="--help"
# make messages put what the pages newly say before the translators
# make sbom    what each program is made of (CycloneDX), into build/sbom   ARGS="--to DIR kiosk"
# make audit   whether a locked package has a known weakness            ARGS="--strict"
# make lock    renew the locked requirements (needs uv)
.PHONY: demo test check faults hardware install-check bench lock format messages ready sbom audit
ARGS ?=
BIN := .venv/bin
# Files are handed out in this order: those that take long come first, and none of them is left for the end.
SUITES := $(wildcard tests/system tests/browser tests/unit)
# Many tests wait for programs: one worker more than there are cores.
WORKERS := $(shell expr $$(nproc) + 1)
LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --quiet

demo:
	@deploy/bootstrap.sh demo
	@exec $(BIN)/floorbell demo $(ARGS)

test: check
	$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(SUITES) $(ARGS)

check: ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

faults: ready
	$(BIN)/python -m tests.faults $(ARGS)

hardware:
	@deploy/bootstrap.sh hardware
	@tests/hardware/run.sh $(ARGS)

install-check:
	@tests/install/run.sh $(ARGS)

bench: ready
	$(BIN)/python -m tests.bench $(ARGS)

messages: ready
	$(BIN)/python -m edge.web.extraction

sbom: ready
	$(BIN)/python -m deploy.sbom $(ARGS)

audit: ready
	$(BIN)/python -m deploy.audit $(ARGS)

lock:
	$(LOCK) --extra kiosk -o requirements/kiosk.txt
	$(LOCK) --extra kiosk --extra screen -o requirements/screen.txt
	$(LOCK) --extra kiosk --extra camera -o requirements/camera.txt
	$(LOCK) --extra edge -o requirements/edge.txt
	$(LOCK) --extra edge --extra postgresql -o requirements/postgresql.txt
	$(LOCK) --extra edge --extra s3 -o requirements/s3.txt
	$(LOCK) --extra kiosk --extra screen --extra camera --extra edge --extra postgresql --extra s3 \
		--extra dev -o requirements/dev.txt
	$(LOCK) --extra hardware -c requirements/dev.txt -o requirements/hardware.txt \
		$(shell sed -n 's/^\([a-z0-9-]*\)==.*/--no-emit-package \1/p' requirements/dev.txt) \
		--no-emit-package openexr

ready:
	@deploy/bootstrap.sh test
