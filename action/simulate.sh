#!/usr/bin/env bash
# Replays TRACE with ARGS, and puts what skctl says at the end into the job's summary. The output results is the folder OUTPUT.
set -euo pipefail

# Split as a shell does, without running anything.
args=()
if [[ -n ${ARGS//[[:space:]]/} ]]; then
	mapfile -d '' -t args < <(tr '\n' ' ' <<<"$ARGS" | xargs printf '%s\0')
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
status=0
NO_COLOR=1 "$SKCTL" simulate "$TRACE" --output "$OUTPUT" --overwrite "${args[@]}" 2>&1 | tee "$log" || status=$?

{
	echo "### Simulation of $(basename "$TRACE")"
	echo
	echo '```'
	if [[ $status -eq 0 ]]; then
		sed -n '/ finished$/,$p' "$log" # without progress
	else
		tail -n 20 "$log"
	fi
	echo '```'
} >>"$GITHUB_STEP_SUMMARY"

if [[ $status -ne 0 ]]; then
	echo "::error title=SimKube::skctl simulate ended with status $status: $(tail -n 1 "$log")"
	exit "$status"
fi
echo "results=$OUTPUT" >>"$GITHUB_OUTPUT"
