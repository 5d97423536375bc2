# Two commands matter: `make demo` shows the whole thing, `make test` proves it.
# Both do all their own set-up and skip what is already there.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help counts glass setup fixtures web test fuzz bench versus versus-lookahead versus-parts versus-copy versus-ingest versus-once versus-openssl profile demo fmt clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install the system packages that are missing, check the Rust toolchain
	@scripts/setup.sh

fixtures: setup ## make the media that the tests and the demo play
	@scripts/fixtures.sh

web: setup ## build the page's player
	@scripts/web.sh

test: setup fixtures web ## formatting, lints, every test, and the benches in short form
	@scripts/setup.sh --tests
	@scripts/test.sh

fuzz: setup ## every fuzz target for 25 minutes; what it learns and finds is kept
	@scripts/fuzz.sh --for 1500 --keep

bench: setup ## the throughput benches in full, in the release profile
	@scripts/fixtures.sh bench
	cargo bench --locked --workspace --bench '*'

counts: setup ## instructions of the hot paths beside those written down (benches/counts.txt)
	@scripts/setup.sh --tests
	@scripts/counts.sh

glass: setup ## glass to glass: each latency beside ffmpeg, over loopback
	cargo build --locked --release -p obvan
	@scripts/glass.py

versus: setup ## CPU, quality and memory beside an ffmpeg process doing the same, plain and at its best
	@scripts/fixtures.sh bench
	cargo build --locked --release
	@scripts/versus.sh

versus-copy: setup ## CPU of a ladder whose top rung is copied, beside ffmpeg with -c copy, and with a ladder of four
	@scripts/fixtures.sh bench
	cargo build --locked --release -p obvan
	@scripts/versus-copy.sh

versus-lookahead: setup ## CPU and quality of a ladder that looks ahead once, beside one whose encoders each do
	@scripts/fixtures.sh bench
	cargo build --locked --release -p obvan
	@scripts/versus-lookahead.sh

versus-parts: setup ## CPU beside that of the codecs and scalers alone
	@scripts/fixtures.sh bench
	cargo build --locked --release -p obvan
	@scripts/versus-parts.sh

versus-once: setup ## CPU of four cameras and a program that carries what their channels encode, beside five ffmpeg processes
	@scripts/fixtures.sh bench
	cargo build --locked --release -p obvan
	@scripts/versus-once.sh

versus-ingest: setup ## CPU of taking in one camera of 8 Mbit/s beside ffmpeg -c copy
	@scripts/fixtures.sh bench
	cargo build --locked --release -p engine --example ingest_only
	@scripts/versus-ingest.sh

profile: setup ## where the CPU time of ladders goes, by part, with flame graphs in out/profile (needs perf)
	@scripts/fixtures.sh bench
	cargo build --locked --release -p obvan
	@scripts/profile.sh

versus-openssl: setup ## CPU of encryption beside openssl's bare AES on the same bytes
	cargo build --locked --release -p obvan
	@scripts/versus-openssl.sh

demo: setup fixtures web ## a bounded live show: its page, its recordings, and their proof
	cargo build --locked --release
	@scripts/demo.sh

fmt: ## format the code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

clean: ## remove what was built and generated; recordings in out/ stay
	cargo clean
	rm -rf fixtures/generated player/dist player/node_modules
