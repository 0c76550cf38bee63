#!/usr/bin/env bash
# Checks that every line of ASSERTS, a jq expression, holds of the summary of every run in OUTPUT. Exits with 3 if one does not.
set -euo pipefail

if [[ -z ${ASSERTS//[[:space:]]/} ]]; then
	exit 0
fi
shopt -s nullglob
summaries=("$OUTPUT"/summary.json "$OUTPUT"/run-*/summary.json)
for i in "${!summaries[@]}"; do
	[[ -f ${summaries[i]} ]] || unset "summaries[i]"
done
if [[ ${#summaries[@]} -eq 0 ]]; then
	echo "::error title=SimKube::$OUTPUT has no summary.json"
	exit 1
fi

failed=0
rows=""
while IFS= read -r expression; do
	[[ -n ${expression//[[:space:]]/} ]] || continue
	for summary in "${summaries[@]}"; do
		status=0
		said=$(jq --exit-status "$expression" "$summary" 2>&1) || status=$?
		# 0 is true, 1 is false or null; all else is an expression that cannot be meant.
		case $status in
		0) mark=✅ ;;
		1) mark=❌ failed=3 ;;
		*)
			echo "::error title=SimKube::$expression: $said"
			exit 2
			;;
		esac
		echo "$mark $expression ($summary)"
		rows+="| $mark | <code>${expression//|/&#124;}</code> | $summary |"$'\n'
		if [[ $status -ne 0 ]]; then
			echo "::error title=SimKube::asserted, and not so: $expression ($summary)"
		fi
	done
done <<<"$ASSERTS"

printf '\n| | assertion | results |\n| --- | --- | --- |\n%s' "$rows" >>"$GITHUB_STEP_SUMMARY"
exit "$failed"
