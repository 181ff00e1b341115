"""Schemathesis, unchanged, against a running hub by what /openapi.json promises. https://spec.openapis.org/oas/v3.1.0"""

import subprocess
import sys
from pathlib import Path

from tests.support.caller import Caller
from tests.support.fixtures import Running

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,"
    "ignored_auth,negative_data_rejection"
)
PATHS = r"^/(fhir/(\{type\}|Observation|metadata)|oauth|fhir$|quarantine|ingest|readyz)"
"""Paths of other types differ in their parameters alone; the long run takes all of them (docs/fuzzing.md)."""
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "410", "412", "413", "415", "422", "428"]
"""What counts as refusing a request that the description does not allow; a precondition may fail before all else is read."""
EXAMPLES, SEED, ANSWER_S, WHOLE_S = 5, 20261129, 30, 300


def test_what_it_promises_it_keeps(running: Running, ehr: Caller, tmp_path: Path) -> None:
    """No server error; statuses, formats and schemas as written; nothing guarded answers without a token."""
    (tmp_path / "schemathesis.toml").write_text(f"[checks]\nnegative_data_rejection.expected-statuses = {REFUSALS}\n")
    command = [
        str(SCHEMATHESIS),
        "run",
        f"{running.process.url}/openapi.json",
        *("--header", f"Authorization: Bearer {ehr.token}"),
        *("--exclude-path-regex", r"\$validate$"),  # it takes anything, and says what is wrong with it
        *("--include-path-regex", PATHS, "--checks", CHECKS, "--phases", "coverage,fuzzing"),
        *("--max-examples", str(EXAMPLES), "--seed", str(SEED), "--request-timeout", str(ANSWER_S)),
        *("--continue-on-failure", "--generation-database", "none", "--no-color"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=WHOLE_S, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-1_000:]
