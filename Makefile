# What there is to do with this repository: `make help`.

CARGO ?= cargo
LT = $(or $(CARGO_TARGET_DIR),target)/release/lt
# Loading programs into the kernel takes root.
ROOT = $(if $(filter-out 0,$(shell id -u)),sudo -E)

# An action on live events: who makes system calls, counted for three seconds.
DEMO = tracepoint:raw_syscalls:sys_enter { @[comm] = count() } interval:s:3 { exit() }

.DEFAULT_GOAL := help
.PHONY: help build run test soak bench lint peers setup fresh kernels hot-symbols clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile | expand -t 20

build: ## build the release lt, installing what the build lacks
	@tools/setup build
	$(CARGO) build --release

run: build ## build lt and count system calls by command for three seconds
	$(ROOT) $(LT) -e '$(DEMO)'

# The kernels that cannot be had are reported by the tests: as a failure or, the optional ones, as skipped.
test: setup ## run every test, under this kernel and in virtual machines with others
	@tests/vm/get-kernels || echo 'some kernels are missing' >&2
	$(if $(ROOT),CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='$(ROOT)') $(CARGO) test --release --workspace --no-fail-fast

# Random scripts in each kernel; LT_SOAK_PROGRAMS and LT_SEED say how many and which.
soak: setup ## load many thousand random scripts into each kernel (takes hours)
	@tests/vm/get-kernels || echo 'some kernels are missing' >&2
	LT_PROGRAMS=$${LT_SOAK_PROGRAMS:-20000} LT_VALUES=2000 $(if $(ROOT),CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER='$(ROOT)') \
		$(CARGO) test --release --test suite -- generate

bench: build ## compare with bpftrace (see `make peers`): ratios, budgets, verdicts
	$(CARGO) build --release --package lt-bench
	$(ROOT) tools/bench $(LT)

lint: ## check format and lints; warnings are errors
	@tools/setup build
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings

setup: ## install the packages that build and tests need
	@tools/setup test

peers: ## bring bpftrace and bpftool for comparisons, without installing them
	@tools/setup peers
	$(ROOT) tools/peers

kernels: setup ## fetch the kernels that tests boot
	tests/vm/get-kernels

fresh: ## run and test a clean checkout inside a fresh Debian 12 (takes long)
	@tools/setup peers
	$(ROOT) tools/fresh

hot-symbols: build ## renew codegen/hot-symbols.txt, the order of functions in the binary
	@tools/setup symbols
	$(ROOT) tools/hot-symbols $(LT)

clean: ## remove what was built
	$(CARGO) clean
