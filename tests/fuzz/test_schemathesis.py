"""Schemathesis, unchanged, against a running hub by what /openapi.json promises. https://spec.openapis.org/oas/v3.1.0"""

import subprocess
from pathlib import Path

from tests.fuzz.promises import SEED, command
from tests.support.caller import Caller
from tests.support.fixtures import Running

PATHS = r"^/(fhir/(\{type\}|Observation|metadata)|oauth|fhir$|quarantine|ingest|readyz)"
"""Paths of other types differ in their parameters alone; the long run takes all of them (docs/fuzzing.md)."""
EXAMPLES, WHOLE_S = 5, 1_200


def test_what_it_promises_it_keeps(running: Running, ehr: Caller, tmp_path: Path) -> None:
    """No server error; statuses, formats and schemas as written; nothing guarded answers without a token."""
    fresh = Caller(ehr.http, ehr.account)
    run = command(running.process.url, fresh.token, PATHS, tmp_path, examples=EXAMPLES, seed=SEED)
    done = subprocess.run(run, capture_output=True, text=True, check=False, timeout=WHOLE_S, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-1_000:]
