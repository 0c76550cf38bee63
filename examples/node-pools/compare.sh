#!/bin/sh
# Replays a trace once for each file of node pools and each seed, and prints what the runs cost.
#
#   compare.sh TRACE RESULTS [SEED...]
#
# RESULTS is a folder for the results, one subfolder for each run. Runs whose results are there are
# not repeated. POOLS are the files (default: those beside this script), FLAGS more flags for skctl
# simulate, PARALLEL how many run at once (default 1). It needs skctl and jq.
set -eu
if [ $# -lt 2 ]; then
	sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
	exit 2
fi
trace=$1 results=$2
shift 2
[ $# -gt 0 ] || set -- 1
here=$(cd "$(dirname "$0")" && pwd)
: "${POOLS:=$here/*.yaml}" "${FLAGS:=}" "${PARALLEL:=1}"
mkdir -p "$results"
export trace FLAGS
for seed; do
	for pools in $POOLS; do
		run=$results/$(basename "$pools" .yaml)-$seed
		[ -e "$run/summary.json" ] || printf '%s\0%s\0%s\0' "$pools" "$seed" "$run"
	done
done | xargs -0 -r -P "$PARALLEL" -n 3 sh -c '
	echo "$3: its progress is in $3.log" >&2
	# shellcheck disable=SC2086
	skctl simulate "$trace" --autoscaler karpenter --nodepools "$1" --seed "$2" -o "$3" $FLAGS >"$3.log" 2>&1 ||
		{ echo "$3.log:" >&2; tail -n 5 "$3.log" >&2; exit 1; }
' run
printf '%-24s %9s %8s %6s %5s %7s %6s %12s %11s\n' RUN COST '$/BOUND' NODES MADE REMOVED MOVED 'PENDING P99' 'WAITED > 1S'
for run in "$results"/*/summary.json; do
	jq -r --arg run "$(basename "$(dirname "$run")")" '.measures |
		[$run, .cost, .costRatio, .peakNodes, .nodesMade, .nodesRemoved, .podsMoved, .pendingP99, .pendingOverSecond] | @tsv' "$run"
done | while IFS="$(printf '\t')" read -r run cost ratio nodes made removed moved p99 waited; do
	printf '%-24s %9.2f %8.2f %6s %5s %7s %6s %11.1fs %11s\n' "$run" "$cost" "$ratio" "$nodes" "$made" "$removed" "$moved" "$p99" "$waited"
done
