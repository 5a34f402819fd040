#!/bin/sh
# Makes what the Makefile needs: the environment, a running engine, a base image.
# Usage: bootstrap.sh host|dev|engine|browser
# As root on Debian or Ubuntu it installs what is missing; elsewhere it prints the one command.
set -eu
cd "$(dirname "$0")/.."

say() { printf '· %s\n' "$*" >&2; }
die() { printf 'make: %s\n' "$*" >&2; exit 3; }

apt_updated=
# install PACKAGE...: install Debian packages, or say how to
install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        say "installing $*"
        if [ -z "$apt_updated" ]; then
            apt-get -qq update >/dev/null || die "apt-get update failed"
            apt_updated=1
        fi
        DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" \
            >/dev/null || die "apt-get install $* failed"
    elif command -v apt-get >/dev/null 2>&1; then
        die "$* is missing. Run: sudo apt-get install $*"
    elif [ "$(uname -s)" = Darwin ]; then
        die "$* is missing. Run: brew install python@3.13 && brew install --cask docker"
    else
        die "$* is missing. Install it with your system's package manager"
    fi
}

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    die "Python 3.11 or newer is missing. On Debian 12 or Ubuntu 24.04: sudo apt-get install python3"
}

digest() { cat "$@" | sha256sum 2>/dev/null | cut -c1-16 || cat "$@" | shasum -a 256 | cut -c1-16; }

environment() { # host or dev
    stamp=".venv/.$1-$(digest "requirements/$1.txt" pyproject.toml)"
    [ -e "$stamp" ] && return
    if [ ! -x .venv/bin/python ]; then
        python=$(find_python)
        "$python" -c 'import ensurepip, venv' 2>/dev/null || install python3-venv
        say "making .venv with $("$python" -V)"
        "$python" -m venv .venv || { rm -rf .venv; die "making .venv failed"; }
    fi
    say "installing requirements/$1.txt into .venv (pinned by hash)"
    .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes \
        -r "requirements/$1.txt" || die "installing requirements/$1.txt failed; see above"
    .venv/bin/python -m pip install -q --disable-pip-version-check --no-deps \
        --no-build-isolation -e . 2>/dev/null || die "installing the grade command failed"
    rm -f .venv/."$1"-*
    : >"$stamp"
}

answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

runs_engine() {
    grep -qE '^(dockerd|containerd)$' "/proc/$1/comm" 2>/dev/null &&
        ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null
}

start_engine() {
    if [ -d /run/systemd/system ]; then
        systemctl start docker
    else
        for file in /var/run/docker.pid /var/run/docker/containerd/containerd.pid; do
            # left by an engine that was killed: its number may be another process's by now, or
            # that of a zombie
            if [ -f "$file" ] && ! runs_engine "$(cat "$file")"; then
                rm -f "$file"
            fi
        done
        say "starting dockerd (log: /var/log/takehome-grader-dockerd.log)"
        nohup setsid dockerd >/var/log/takehome-grader-dockerd.log 2>&1 </dev/null &
    fi
    tries=0
    until answers; do
        tries=$((tries + 1))
        [ "$tries" -gt 120 ] && die "dockerd does not come up; see its log"
        sleep 0.5
    done
}

engine() {
    if ! command -v docker >/dev/null 2>&1; then
        install docker.io
    fi
    if ! answers; then
        if [ "$(id -u)" = 0 ] && [ "$(uname -s)" = Linux ]; then
            command -v dockerd >/dev/null 2>&1 || install docker.io
            start_engine
        elif [ "$(uname -s)" = Darwin ]; then
            die "Docker does not answer. Run: open -a Docker"
        elif [ -S /var/run/docker.sock ]; then
            die "Docker runs, but not for this user. Run: sudo usermod -aG docker $(id -un) && newgrp docker"
        else
            die "Docker does not answer. Run: sudo systemctl start docker"
        fi
    fi
    base=python:3.13-slim-trixie
    for image in "$base" takehome-grader/base:trixie; do
        docker image inspect "$image" >/dev/null 2>&1 && return
    done
    say "pulling the base image $base"
    docker pull -q "$base" >/dev/null 2>&1 && return
    command -v mmdebstrap >/dev/null 2>&1 || install mmdebstrap
}

browser() { # what the tests of the HTML pages need: a browser, and axe-core pinned by hash
    command -v chromium >/dev/null 2>&1 || install chromium
    command -v npm >/dev/null 2>&1 || install npm
    stamp="build/browser/.$(digest tests/browser/package-lock.json)"
    [ -e "$stamp" ] && return
    say "installing axe-core into build/browser"
    mkdir -p build/browser
    cp tests/browser/package.json tests/browser/package-lock.json build/browser/
    (cd build/browser && npm ci --silent --ignore-scripts --no-audit --no-fund) ||
        die "npm ci failed; see above"
    : >"$stamp"
}

case ${1:-} in
    browser) browser ;;
    host | dev) environment "$1" ;;
    engine) engine ;;
    *) die "usage: scripts/bootstrap.sh host|dev|engine|browser" ;;
esac
