#!/usr/bin/env bash
# Has skctl, sk-cluster and sk-cluster-virtual in a folder, which is the output bin: the folder BIN, those of a release, or built here.
set -euo pipefail

if [[ -n $BIN ]]; then
	INSTALL=$(cd "$BIN" && pwd)
elif [[ -x $INSTALL/skctl ]]; then
	echo "The programs are in the cache."
elif [[ -n $VERSION ]]; then
	system=$(uname -s | tr '[:upper:]' '[:lower:]')
	machine=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
	mkdir -p "$INSTALL"
	url="${GITHUB_SERVER_URL:-https://github.com}/$REPOSITORY/releases/download/$VERSION/simkube_${system}_$machine.tar.gz"
	echo "Download $url"
	curl --fail --silent --show-error --location --retry 3 "$url" | tar -xz -C "$INSTALL"
else
	echo "Build the programs. Kubernetes is one of them: this takes some minutes, once."
	make -C "$ACTION_PATH" bin/skctl bin/sk-cluster bin/sk-cluster-virtual
	mkdir -p "$INSTALL"
	cp "$ACTION_PATH"/bin/{skctl,sk-cluster,sk-cluster-virtual} "$INSTALL"
fi
for program in skctl sk-cluster sk-cluster-virtual; do
	if [[ ! -x $INSTALL/$program ]]; then
		echo "::error title=SimKube::$INSTALL has no program $program"
		exit 1
	fi
done
echo "bin=$INSTALL" >>"$GITHUB_OUTPUT"
echo "$INSTALL" >>"$GITHUB_PATH"
