# Sourced by what runs tests in Python: reads the command line, exports what harness.py
# reads, and makes environments.

assay=bin/assay starter=build/starter
while [ $# -gt 0 ]; do
  case "$1" in
    --assay) assay=$2; shift 2 ;;
    --starter) starter=$2; shift 2 ;;
    *) echo "usage: $0 [--assay FILE] [--starter DIR]" >&2; exit 2 ;;
  esac
done
ASSAY_BIN=$(dirname "$(realpath "$assay")")
ASSAY_STARTER=$(realpath "$starter")
ASSAY_DATA_DIR=$PWD/build/data
PYTHONPATH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export ASSAY_BIN ASSAY_STARTER ASSAY_DATA_DIR PYTHONPATH PYTHONDONTWRITEBYTECODE=1

# environment DIR LOCK: makes a Python environment with what a lock file pins, unless it
# is there. A lock is made anew by
#   echo 'codeset==0.9.1 pytest==8.4.2' | tr ' ' '\n' |
#     uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate -o LOCK -
environment() {
  local dir=$1 lock=$2
  cmp -s "$lock" "$dir/lock.txt" && return
  rm -rf "$dir"
  python3 -m venv "$dir"
  "$dir/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r "$lock"
  cp "$lock" "$dir/lock.txt"
}
