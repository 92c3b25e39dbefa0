#!/usr/bin/env bash
# Installs what is asked for, idempotently: python, ministack, packages, engine, images. Says what it cannot install, and stops.
set -euo pipefail
cd "$(dirname "$0")/.."

say()  { printf '\033[2m[setup]\033[0m %s\n' "$*" >&2; }
stop() { printf '[setup] stopped: %s\n' "$*" >&2; exit 10; }

python() {
  command -v python3 >/dev/null || stop "python3 (3.10 or newer) is missing. Debian: apt-get install python3 python3-venv"
  python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' || stop "python3 is older than 3.10: $(python3 --version)"
  local seal; seal=$(cat requirements.lock pyproject.toml | sha256sum | cut -d' ' -f1)
  [ "$(cat .venv/.seal 2>/dev/null)" = "$seal" ] && [ -x .venv/bin/autodeploy ] && return
  say "Python packages from requirements.lock; this takes a minute or two"
  python3 -m venv .venv || stop "python3 has no venv. Debian: apt-get install python3-venv"
  # The lock is whole: with nothing to resolve, pip does not look at releases newer than it.
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  echo "$seal" > .venv/.seal
}

# The second emulator that the tests ask. It pins versions other than ours of what moto needs too, so it lives apart.
ministack() {
  local seal; seal=$(sha256sum < tools/ministack.lock)
  [ "$(cat .venv/ministack/.seal 2>/dev/null)" = "$seal" ] && return
  say "ministack, in an environment of its own"
  python3 -m venv --clear .venv/ministack
  .venv/ministack/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r tools/ministack.lock
  echo "$seal" > .venv/ministack/.seal
}

packages() {
  local wanted=() name
  command -v git >/dev/null || wanted+=(git)
  command -v ssh >/dev/null || wanted+=(openssh-client)
  command -v curl >/dev/null || wanted+=(curl)
  if ! command -v docker >/dev/null || ! docker info >/dev/null 2>&1; then
    for name in podman runc mmdebstrap iptables; do command -v "$name" >/dev/null || wanted+=("$name"); done
    for name in netavark aardvark-dns; do [ -x "/usr/lib/podman/$name" ] || wanted+=("$name"); done
  fi
  [ ${#wanted[@]} -eq 0 ] && return
  command -v apt-get >/dev/null || stop "these are missing and this is no Debian: ${wanted[*]}. Install Podman or Docker."
  [ "$(id -u)" = 0 ] || stop "these need root: sudo apt-get install ${wanted[*]}"
  say "Debian packages: ${wanted[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}" >/dev/null \
    || stop "apt-get could not install: ${wanted[*]}"
}

engine() {
  local cache="${AUTODEPLOY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/autodeploy}"
  # An engine that must be built needs Go; Debian 12's own is too old for Pulumi's modules.
  if ! command -v pulumi >/dev/null && [ ! -x "$cache"/engine/*/bin/pulumi ] && ! go_is_recent; then
    say "Go, to build the Pulumi engine with"
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/pulumi/go.lock
  fi
  PATH="$PWD/.venv/bin:$PATH" .venv/bin/python -m autodeploy.adapters.pulumi "$cache" >/dev/null || exit $?
}

go_is_recent() { command -v go >/dev/null && go version | grep -qE 'go(1\.(2[1-9]|[3-9][0-9])|[2-9])'; }

images() { .venv/bin/python -m autodeploy.local.images debian-12 >/dev/null; }

# The one waits for a compiler, the other for a package mirror.
engine_and_images() {
  engine & local building=$!
  images || { local code=$?; kill "$building" 2>/dev/null; exit "$code"; }
  wait "$building" || exit $?
}

for step in "$@"; do "$step"; done
