#!/usr/bin/env bash
# Measures `optria dev`: the first start on a fresh data folder and the second
# on the same one, each to "all checks green", and the memory of every process
# after half a minute at rest. See docs/BENCHMARKS.md.
#
#   scripts/bench-start.sh [starts]     starts of each kind, 3 by default
#
# OPTRIA_ADDRESS and OPTRIA_CODEC_ADDRESS choose other ports for the web tier
# and the codec server; Temporal uses 7233 and 8233, which must be free.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-3}
export OPTRIA_ADDRESS=${OPTRIA_ADDRESS:-127.0.0.1:18080}
export OPTRIA_CODEC_ADDRESS=${OPTRIA_CODEC_ADDRESS:-127.0.0.1:18234}
unset OPTRIA_DB_URL TEMPORAL_ADDRESS
work=$(mktemp -d)
chmod 755 "$work" # the account that runs PostgreSQL must reach it
dev=

stop() {
  [ -n "$dev" ] || return 0
  kill -TERM "$dev" 2>/dev/null || true
  wait "$dev" 2>/dev/null || true
  dev=
}
trap 'stop; rm -rf "$work"' EXIT

for port in 7233 8233 "${OPTRIA_ADDRESS##*:}" "${OPTRIA_CODEC_ADDRESS##*:}"; do
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
    echo "port $port is in use: stop what listens there first" >&2
    exit 1
  fi
done

# start prints the seconds until the product says that it is ready.
start() {
  : >"$work/out"
  OPTRIA_DATA_DIR=$1 bin/optria dev >"$work/out" 2>&1 &
  dev=$!
  until grep -q 'is ready after' "$work/out"; do
    kill -0 "$dev" 2>/dev/null || { cat "$work/out" >&2; exit 1; }
    sleep 0.05
  done
  seconds=$(sed -n 's/.*is ready after \([0-9.]*\) s.*/\1/p' "$work/out")
}

median() { sort -n | awk '{v[NR] = $1} END {print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# family lists a process and everything below it.
family() {
  echo "$1"
  local child
  for child in $(pgrep -P "$1" || true); do family "$child"; done
}

# memory prints MiB per program: resident, and proportional, which counts
# shared pages once.
memory() {
  for pid in $(family "$dev"); do
    name=$(tr '\0' ' ' <"/proc/$pid/cmdline" | awk '{n = split($1, p, "/"); print p[n] (p[n] == "optria" ? " " $2 : "")}')
    case $name in postgres*) name=postgres ;; esac
    awk -v name="${name%:}" '/^Rss:/ {r = $2} /^Pss:/ {p = $2} END {print name "\t" r "\t" p}' "/proc/$pid/smaps_rollup"
  done | awk -F'\t' '{n[$1]++; r[$1] += $2; p[$1] += $3; R += $2; P += $3}
    END {for (k in n) printf "  %-16s %2d process(es)  RSS %5.0f MiB  PSS %5.0f MiB\n", k, n[k], r[k] / 1024, p[k] / 1024
         printf "  %-16s                 RSS %5.0f MiB  PSS %5.0f MiB\n", "together", R / 1024, P / 1024}' | sort
}

echo "load average before: $(cut -d' ' -f1-3 /proc/loadavg)"
for kind in first second; do
  for round in $(seq "$rounds"); do
    data=$work/data$round
    [ -d "$data" ] || mkdir -m 755 "$data" # as root, the cluster would move elsewhere from a closed folder
    start "$data"
    echo "$seconds" >>"$work/$kind"
    echo "$kind start $round: $seconds s"
    if [ "$kind$round" = "second$rounds" ]; then
      sleep 30
      echo "memory after 30 s at rest:"
      memory
      echo "data folder: $(du -sm "$data" | cut -f1) MiB"
    fi
    stop
  done
done
echo "median first start: $(median <"$work/first") s"
echo "median second start: $(median <"$work/second") s"
