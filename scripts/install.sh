#!/usr/bin/env bash
# Installs what the demonstration and the tests need and is not there yet:
#
#   scripts/install.sh postgresql   the PostgreSQL server programs (no service, no cluster)
#   scripts/install.sh chromium     the browser of the interface tests
#   scripts/install.sh temporal     bin/temporaldev, built from source
#   scripts/install.sh peers        counterparts of connector tests: MariaDB, Mosquitto, and what runs on Node.js
#   scripts/install.sh              all of them
#
# Quick when everything is there. Debian packages are installed as root or
# through sudo.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

has_postgresql() {
	[ -n "${OPTRIA_PG_BIN:-}" ] && return 0
	local dir
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin; do
		[ -x "$dir/postgres" ] && [ -x "$dir/initdb" ] && return 0
	done
	command -v postgres >/dev/null && command -v initdb >/dev/null
}

has_chromium() {
	[ -n "${OPTRIA_CHROMIUM:-}" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null ||
		command -v google-chrome >/dev/null
}

# Runs a command as root; sudo asks for the password once.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		return 1
	fi
}

install_packages() {
	if ! command -v apt-get >/dev/null; then
		echo "install by hand, this is not a Debian system: $*" >&2
		return 1
	fi
	echo "installing with apt-get: $*" >&2
	as_root apt-get -qq update
	as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o Dpkg::Use-Pty=0 install --no-install-recommends -y "$@" >&2
}

postgresql() {
	if has_postgresql; then return; fi
	# The programs only: the package would otherwise create a cluster and start it.
	as_root mkdir -p /etc/postgresql-common/createcluster.d &&
		echo 'create_main_cluster = false' | as_root tee /etc/postgresql-common/createcluster.d/optria.conf >/dev/null &&
		install_packages postgresql ca-certificates && return
	if command -v npm >/dev/null || command -v apt-get >/dev/null; then
		echo "PostgreSQL could not be installed; its programs will be fetched on first use" >&2
		return
	fi
	echo "PostgreSQL 15 or newer is needed: apt-get install postgresql, or set OPTRIA_PG_BIN" >&2
	return 1
}

chromium() {
	if has_chromium; then return; fi
	install_packages chromium ca-certificates && return
	echo "Chromium is needed for the interface tests: apt-get install chromium, or set OPTRIA_CHROMIUM" >&2
	return 1
}

peers() {
	local missing=()
	[ -x /usr/sbin/mariadbd ] || missing+=(mariadb-server)
	[ -x /usr/sbin/mosquitto ] || missing+=(mosquitto)
	if [ ${#missing[@]} -gt 0 ]; then install_packages "${missing[@]}"; fi
	local dir=$root/internal/testkit/peers
	if [ ! -e "$dir/node_modules/.package-lock.json" ] || [ "$dir/package-lock.json" -nt "$dir/node_modules/.package-lock.json" ]; then
		(cd "$dir" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
	fi
}

temporal() {
	"$root/temporal-dev.sh" --build-only
}

if [ $# = 0 ]; then
	set -- postgresql chromium temporal peers
fi
for part in "$@"; do
	case $part in
	postgresql | chromium | temporal | peers) "$part" ;;
	*)
		echo "unknown part: $part" >&2
		exit 2
		;;
	esac
done
