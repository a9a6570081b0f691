# make demo   build everything and watch what a day of changes by hand looks like
# make test   all tests: Rust, the rules in a real libsinsp, the servers that stand for AWS where they can be had
.PHONY: demo test build tools
.DEFAULT_GOAL := demo

demo: build
	$(or $(CARGO_TARGET_DIR),target)/release/tfdrift demo

build: tools
	cargo build --release

test: build
	@tests/moto.sh >/dev/null || echo "no moto: the tests that need a stand-in for AWS say 'skipped'"
	@for e in azurite gcs; do tests/emulators.sh $$e >/dev/null || echo "no $$e: the tests that need a stand-in for that cloud say 'skipped'"; done
	cargo test --release --workspace
	tests/real-host/test.sh || [ $$? = 69 ]
	cargo build --release --quiet
	TFDRIFT_BUILT=1 tests/rules_in_libsinsp.sh
	TFDRIFT_BUILT=1 tests/dockerfile.sh
	tests/compose.sh
	tests/panics.sh

# What the machine lacks is named, with what to do; rustup fetches the compiler that rust-toolchain.toml names.
tools:
	@command -v cargo >/dev/null || { echo "no cargo: install rustup (https://rustup.rs), open a new shell, and try again" >&2; exit 1; }
	@command -v cc >/dev/null || { echo "no C compiler (cc): install one, such as 'apt-get install gcc libc6-dev' or 'dnf install gcc'" >&2; exit 1; }
	@if command -v rustup >/dev/null; then rustup show active-toolchain >/dev/null 2>&1 || rustup toolchain install; \
	else v=$$(cargo --version | awk '{print $$2}'); printf '1.95.0\n%s\n' "$$v" | sort -VC || { echo "cargo $$v is too old: Rust 1.95 is needed (https://rustup.rs)" >&2; exit 1; }; fi
