#!/usr/bin/env bash
# Starts a Temporal development server with its web interface, for this machine
# only. Builds it first when its source has changed; the first build downloads
# about 240 MB and takes several minutes of processor time.
#
#   ./temporal-dev.sh [flags of temporaldev]   start (Ctrl-C stops)
#   ./temporal-dev.sh --build-only             build bin/temporaldev and stop
#
# TEMPORAL_PORT       port of the gRPC frontend (7233); the web interface is 1000 above
# TEMPORAL_NAMESPACE  namespace to create (default)
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$root/cmd/temporaldev
binary=$root/bin/temporaldev
stamp=$root/bin/.temporaldev.stamp
state=$root/.optria

fingerprint() {
	(cd "$source_dir" && cat go.mod go.sum main.go options.go server.go ui.go && go env GOVERSION GOARCH) | sha256sum | cut -d ' ' -f 1
}

build() {
	local wanted
	wanted=$(fingerprint)
	mkdir -p "$root/bin"
	(
		# One build at a time: several programs may find the binary missing.
		flock 9
		if [ -x "$binary" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
			exit 0
		fi
		echo "building bin/temporaldev (the first time takes several minutes) ..." >&2
		cd "$source_dir"
		nice -n 10 go build -p 2 -trimpath -ldflags '-s -w' -o "$binary.new" .
		mv "$binary.new" "$binary"
		echo "$wanted" >"$stamp"
	) 9>"$root/bin/.temporaldev.lock"
}

build
if [ "${1:-}" = --build-only ]; then
	exit 0
fi

port=${TEMPORAL_PORT:-7233}
mkdir -p "$state"
exec "$binary" server start-dev \
	--ip 127.0.0.1 --port "$port" --ui-port $((port + 1000)) \
	--namespace "${TEMPORAL_NAMESPACE:-default}" \
	--db-filename "$state/temporal-1.32.db" \
	--sqlite-pragma journal_mode=WAL --sqlite-pragma synchronous=OFF \
	"$@"
