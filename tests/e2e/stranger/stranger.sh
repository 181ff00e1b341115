#!/usr/bin/env bash
# A stranger's way on a clean machine: from the wheel alone to a signed report, once with a mapping and once with code.
#
#   tests/e2e/stranger/stranger.sh [FOLDER]
#
# makes an environment in FOLDER (default: a new one) with the hub's wheel, its locked dependencies and pytest, and nothing of the checkout.
# Two products that nobody makes are read: Tide (nested JSON in French: decimal commas, a unit in each row, "--", a wall clock whose zone
# stands elsewhere) by a mapping, and Breeze (CSV) by code. Each goes through: new, its own tests before anything is edited, edit, test,
# simulate, ingest, certify, verify. Prints a line a step and the seconds it took; ends with 0 if every step answered as it should.
#
#   STRANGER_DEPENDENCIES=DIR   site-packages that has the dependencies already: nothing is fetched (`make test` does so)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=${1:-$(mktemp -d)}
mkdir -p "$work"
work=$(cd "$work" && pwd)
hub_pid=""
trap 'test -z "$hub_pid" || { kill "$hub_pid" && wait "$hub_pid"; } || true' EXIT

step() { printf '%5ds  %s\n' "$SECONDS" "$*"; }
fail() { printf 'stranger: %s\n' "$*" >&2; exit 1; }

environment() {
  python3 -m venv "$work/venv"
  if [ -z "${STRANGER_DEPENDENCIES:-}" ]; then
    "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary :all: -r "$root/requirements/dev.txt"
  fi
  wheel
  "$work/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-index "$work"/dist/*.whl
  if [ -n "${STRANGER_DEPENDENCIES:-}" ]; then  # afterwards, so that a hub which lies there is not taken for the one of the wheel
    printf '%s\n' "$STRANGER_DEPENDENCIES" > "$work/venv/lib/$(ls "$work/venv/lib")/site-packages/dependencies.pth"
  fi
}

# Built from a copy of what is packed, so that nothing of the checkout is written to or found by accident.
wheel() {
  mkdir -p "$work/source"
  cp -r "$root"/{hub,fhir_profiles,adapters,security,audit,pyproject.toml,README.md} "$work/source/"
  PYTHONPATH="${STRANGER_DEPENDENCIES:-}" "$work/venv/bin/python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-index \
    --no-build-isolation --wheel-dir "$work/dist" "$work/source"
  rm -rf "$work/source"
}

value() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

start_hub() {
  # Not of those that the kernel gives to any connection before the hub has bound it.
  port=$(python3 -c 'import random, socket
print(next(port for port in random.sample(range(10_000, 20_000), 99) if socket.socket().connect_ex(("127.0.0.1", port))))')
  base=http://127.0.0.1:$port
  hub serve --port "$port" --data-dir data > hub.txt 2>&1 &
  hub_pid=$!
  for _ in $(seq 240); do
    if grep -q '^ready' hub.txt; then return; fi
    kill -0 "$hub_pid" 2>/dev/null || fail "the hub did not start: $(tail -3 hub.txt)"
    sleep 0.5
  done
  fail "the hub was not ready within two minutes"
}

stop_hub() { kill "$hub_pid"; wait "$hub_pid"; hub_pid=""; }

own_tests() { (cd "$1" && python3 -m pytest -q -p no:cacheprovider > "../$1-tests.txt" 2>&1) || fail "the tests of $1 fail: $(tail -5 "$1-tests.txt")"; }

level_of() { hub adapters test "$1" --json > "$1-results.json" 2> "$1-level.txt" || fail "$(cat "$1-level.txt")"; tail -1 "$1-level.txt"; }

# NAME UNIT FILE EXPECTED: what was stored, by fate, is that
send() {
  local patient
  patient=$(curl -sS -H "Authorization: Bearer $token" --json '{"resourceType": "Patient", "name": [{"family": "Martin"}]}' "$base/fhir/Patient" | value id)
  for unit in $2; do hub device pair "$1" "$unit" --patient "Patient/$patient" --from 2026-01-01 --data-dir data > paired.json; done
  hub ingest "$1" "$3" --base-url "$base" --client-id "$client" --key sender.pem > "$1-fates.json" 2> summary.txt || true
  found=$(python3 -c 'import collections, json, sys
print(dict(sorted(collections.Counter(json.loads(line)["fate"] for line in sys.stdin).items())))' < "$1-fates.json")
  [ "$found" = "$4" ] || fail "$1: the fates are $found, not $4"
}

simulated() {
  hub adapters simulate "$1" --patients 2 --days 2 --faults duplicates,late,reordered,drift,summer-time,corrected,garbage --until 2026-06-01 \
    --base-url "$base" --client-id "$client" --key sender.pem --data-dir data --json > "$1-simulated.json" || fail "$1: $(cat "$1-simulated.json")"
}

signed() {
  hub adapters certify "$1" --key signing.pem --into report > made.txt 2> made.err || fail "$(cat made.err)"
  hub adapters verify "report/$1-0.1.0-report.json" --adapter "$1" | value level
}

# Whatever was changed, the report is about other code.
refuses_other_code() {
  echo "# changed" >> "$1"
  if hub adapters verify "report/$2-0.1.0-report.json" --adapter "$2" > /dev/null 2>&1; then fail "$2: a report about other code was accepted"; fi
  sed -i.bak '$d' "$1"
  rm "$1.bak"
}

step "an environment with the wheel and nothing else, in $work"
environment
export PATH="$work/venv/bin:$PATH" PYTHONDONTWRITEBYTECODE=1
unset PYTHONPATH
cd "$work"
python3 -c 'import hub, sys; sys.exit(not hub.__file__.startswith(sys.argv[1]))' "$work/venv" || fail "the hub is not that of the wheel"

step "tide: new, with a mapping"
hub adapters new tide --product "Tide night patch" --manufacturer "Tide SA" --transport push --measure heart-rate --measure oxygen-saturation \
  --time-kind offset --format json --declarative > made.txt 2>&1
own_tests tide
step "tide: its own tests are green before anything is edited; now it is edited"
cp "$here"/tide/{mapping.yaml,simulate.py} tide/src/tide_adapter/
rm tide/tests/fixtures/first.*
cp "$here"/tide/night.* tide/tests/fixtures/
hub adapters test tide --write-golden > golden.txt 2>&1
own_tests tide
reached=$(level_of tide)
step "$reached"

step "breeze: new, with code"
hub adapters new breeze --product "Breeze cuff" --manufacturer "Breeze Ltd" --transport file --measure blood-pressure --measure heart-rate \
  --time-kind local --format csv > made.txt 2>&1
own_tests breeze
step "breeze: its own tests are green before anything is edited; now it is edited"
cp "$here"/breeze/mapping.py breeze/src/breeze_adapter/
rm breeze/tests/fixtures/first.*
cp "$here"/breeze/week.* breeze/tests/fixtures/
hub adapters test breeze --write-golden > golden.txt 2>&1 || fail "$(cat golden.txt)"
own_tests breeze
reached=$(level_of breeze)
step "$reached"

step "both are installed, and a hub is started"
python3 -m pip install --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation ./tide ./breeze
start_hub
hub client add sender --scope "system/Patient.crs system/Observation.cr" --recorder --consent-default opt-out --key-out sender.pem --data-dir data > sender.json
client=$(value client_id < sender.json)
token=$(hub token --base-url "$base" --client-id "$client" --key sender.pem)

step "simulated, with every fault"
simulated tide
simulated breeze
step "sent: what is known is stored, what is not known waits"
send tide "TD-00017 TD-00018" "$here/tide/night.json" "{'quarantined': 1, 'stored': 7}"
send breeze "BZ-7" "$here/breeze/week.csv" "{'quarantined': 4}"
hub ingest breeze "$here/breeze/week.csv" --time-zone Europe/Paris --base-url "$base" --client-id "$client" --key sender.pem > breeze-fates.json 2> summary.txt || true
[ "$(grep -c '"stored"' breeze-fates.json)" = 3 ] || fail "breeze: $(cat breeze-fates.json)"
stop_hub

one=$(signed tide)
other=$(signed breeze)
step "signed: tide $one, breeze $other; verified"
refuses_other_code tide/src/tide_adapter/mapping.yaml tide
refuses_other_code breeze/src/breeze_adapter/mapping.py breeze
step "done: the reports are in $work/report"
