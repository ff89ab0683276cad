#!/usr/bin/env bash
# Unpacks Node, builds the native part against the torch of this machine, and shows what works.
# Ends with the exit code of the first of these that failed; without the native part the wasm engine still works.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit

fail() {
  echo "setup: $1" >&2
  exit 1
}

unpack() {
  if command -v xz >/dev/null; then
    xz -dc node/node.xz
  elif python3 -c 'import lzma' 2>/dev/null; then
    python3 -c 'import lzma, shutil, sys; shutil.copyfileobj(lzma.open("node/node.xz"), sys.stdout.buffer)'
  else
    fail "xz or Python's lzma module must be here to unpack Node; got neither. Install one of them."
  fi
}

if ! (cd node && sha256sum --check --status bin.sha256 2>/dev/null); then
  echo "unpacking Node"
  mkdir -p node/bin
  unpack >node/bin/node.part || fail "node/node.xz must unpack; got an error. Copy the bundle again."
  mv node/bin/node.part node/bin/node
  chmod +x node/bin/node
  (cd node && sha256sum --check --status bin.sha256) ||
    fail "node/bin/node must have the digest in node/bin.sha256; got another. Copy the bundle again."
fi

echo "building the native part (about a minute)"
node/bin/node node_modules/katlab/scripts/native.mjs
built=$?

echo
./katlab doctor
works=$?
exit $((built > 0 ? built : works))
