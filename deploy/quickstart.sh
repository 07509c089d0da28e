#!/bin/sh
# From a fresh checkout to the running program, on a machine that has Python 3.11 or newer and nothing else:
#   sh deploy/quickstart.sh local    a private hub, an agent for this machine, and the terminal client
#   sh deploy/quickstart.sh tests    all tests; what follows goes to nox (-s lint, -l, ...)
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "quickstart: $*" >&2
    exit 1
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    fail "Python 3.11 or newer is needed"
}

# Debian ships the venv module in a package of its own.
provide_venv() {
    "$python" -c 'import ensurepip, venv' 2>/dev/null && return
    command -v apt-get >/dev/null || fail "$python has no venv module; install it with your package manager"
    if [ "$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi
    if [ -n "$sudo" ] && ! command -v sudo >/dev/null; then
        fail "run this first, as root: apt-get install python3-venv"
    fi
    echo "quickstart: installing Debian's python3-venv"
    $sudo apt-get update -qq
    $sudo apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
}

# What tests start, compile with or ask: `program=packages`. Without one its tests are skipped, unless they must not be.
for_tests='curl=curl gcc=gcc,libc6-dev dbus-daemon=dbus-daemon systemd-analyze=systemd ip=iproute2 unshare=util-linux
    pg_ctlcluster=postgresql dockerd=docker.io podman=podman runc=runc busybox=busybox-static
    prometheus=prometheus influxd=influxdb docker-registry=docker-registry zsh=zsh fish=fish setsid=util-linux'

provide_programs() {
    [ "${BESZEL_REQUIRE_SERVICES:-}" = 1 ] || return 0
    packages=
    for pair in $for_tests; do
        PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%=*}" >/dev/null || packages="$packages,${pair#*=}"
    done
    [ -n "$packages" ] || return 0
    packages=$(echo "$packages" | tr , ' ')
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || fail "BESZEL_REQUIRE_SERVICES=1 needs$packages"
    echo "quickstart: installing$packages"
    apt-get update -qq
    # shellcheck disable=SC2086 - a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $packages >/dev/null
}

make_environment() { # directory, what to install ...
    environment=$1
    shift
    [ -x "$environment/bin/pip" ] || "$python" -m venv "$environment"
    echo "quickstart: installing into $environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check "$@"
}

[ $# -gt 0 ] || fail "say what: local or tests"
job=$1
shift
python=$(find_python)
provide_venv

case $job in
local)
    make_environment .venv '.[all]'
    exec .venv/bin/beszel-tui local "$@"
    ;;
tests)
    provide_programs
    make_environment .venv-nox nox
    exec .venv-nox/bin/nox "$@"
    ;;
*)
    fail "say what: local or tests"
    ;;
esac
