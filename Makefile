# The commands of the project. Each sets up what it needs; see CONTRIBUTING.md for what is behind.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
JOBS ?= $(shell nproc)
PREFIX ?= /usr/local

# build(preset, further arguments of the build): configures and compiles.
define build
	cmake --preset $(1) --log-level=WARNING
	cmake --build --preset $(1) --parallel $(JOBS) $(2)
endef

.PHONY: help demo test check bench format install asan tsan fresh clean

help: ## Print this list
	@sed -nE 's/^([a-z]+):.*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

demo: ## Set up, build, and run a first job on a text of Shakespeare
	@scripts/setup test
	$(call build,release,--target word_count)
	@scripts/demo build/release/examples/word_count examples/data/hamlet.txt

test: ## Set up, build, and run every test
	@scripts/setup test
	$(call build,release)
	@ctest --preset release --parallel $(JOBS) --no-label-summary

check: ## Everything that CI checks, and then the tests
	@.ci/run

bench: ## Build and run the benchmarks
	@scripts/setup test
	cmake --preset release --log-level=WARNING -DMILLRACE_BENCH=ON
	cmake --build --preset release --parallel $(JOBS)
	@scripts/bench build/release/bench

format: ## Lay out the code as clang-format decides
	@scripts/setup develop
	@scripts/check format --fix

install: ## Build and install under PREFIX, for find_package(Millrace)
	@scripts/setup test
	$(call build,release,--target millrace testing)
	cmake --install build/release --prefix $(PREFIX)

asan: ## Build and test with AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/setup test
	$(call build,asan)
	@ctest --preset asan --parallel $(JOBS) --no-label-summary

tsan: ## Build and test with ThreadSanitizer
	@scripts/setup test
	$(call build,tsan)
	@ctest --preset tsan --parallel $(JOBS) --no-label-summary

fresh: ## Try `make demo` and `make test` on a bare Debian 12 in a chroot (root)
	@scripts/setup develop
	@scripts/fresh-machine

clean: ## Remove what was built
	rm -rf build
