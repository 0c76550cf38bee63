#!/usr/bin/env bash
# Gives, as the output key, a name for the programs that the source of this action makes.
set -euo pipefail

cd "$ACTION_PATH"
key=$(find . -type f \( -name '*.go' -o -name go.mod -o -name go.sum -o -name Makefile -o -path './config/*.yaml' \) -print0 |
	LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
echo "key=$key" >>"$GITHUB_OUTPUT"
