"""python -m tests.fuzz.promises [--examples N] [--seed N] [--minutes N]: Schemathesis over every path of /openapi.json.

Path by path, each with a new token, for a long run outlives one; ends with 1 if a promise was broken.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.process import HubProcess

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,"
    "ignored_auth,negative_data_rejection"
)
REFUSALS = ["400", "401", "403", "404", "405", "406", "409", "410", "412", "413", "415", "422", "428"]
"""What counts as refusing a request that the description does not allow; a precondition may fail before all else is read."""
SEED, ANSWER_S = 20261129, 120
FIRST = re.compile(r"/([^/]+)(?:/([^/]+))?")
CASES = re.compile(r"^\s*(\d+) generated", re.MULTILINE)


def command(url: str, token: str, paths: str, directory: Path, *, examples: int, seed: int) -> list[str]:
    """Run it in `directory`, where its configuration is put."""
    (directory / "schemathesis.toml").write_text(f"[checks]\nnegative_data_rejection.expected-statuses = {REFUSALS}\n")
    return [
        str(SCHEMATHESIS),
        "run",
        f"{url}/openapi.json",
        *("--header", f"Authorization: Bearer {token}"),
        *("--exclude-path-regex", r"\$validate$"),  # it takes anything, and says what is wrong with it
        *("--include-path-regex", paths, "--checks", CHECKS, "--phases", "coverage,fuzzing"),
        *("--max-examples", str(examples), "--seed", str(seed), "--request-timeout", str(ANSWER_S)),
        *("--continue-on-failure", "--generation-database", "none", "--no-color"),
    ]


def groups(caller: Caller) -> Iterator[str]:
    """A pattern for the paths of each type, and of each other beginning."""
    named = (FIRST.match(path) for path in caller.http.get("/openapi.json").json()["paths"])
    begun = {(one[1], one[2] if one[1] == "fhir" else None) for one in named if one is not None}
    for first, second in sorted(begun, key=str):
        yield f"^/{re.escape(first)}" + ("" if first != "fhir" else f"/{re.escape(second)}(/|$)" if second else "$")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.promises")
    parser.add_argument("--examples", type=int, default=20)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--minutes", type=float, default=600)
    asked = parser.parse_args()
    cases, broken, began = 0, 0, time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hub-promises-") as name:
        hub = HubProcess(Path(name) / "data").start()
        try:
            with Backstage(hub.data_dir, hub.url) as backstage, http_client(hub.url) as http:
                account = backstage.register(new_client("promises", "system/*.cruds", consent_default="opt-out", recorder=True))
                patterns = list(groups(Caller(http, account)))
                done = 0
                for pattern in patterns:
                    if time.monotonic() - began > asked.minutes * 60:
                        break
                    run = command(hub.url, Caller(http, account).token, pattern, Path(name), examples=asked.examples, seed=asked.seed)
                    ended = subprocess.run(run, capture_output=True, text=True, check=False, cwd=name)
                    found = CASES.search(ended.stdout)
                    cases, done = cases + int(found[1] if found else 0), done + 1
                    if ended.returncode:
                        broken += 1
                        sys.stdout.write(f"- {pattern}\n{ended.stdout[-4_000:]}{ended.stderr[-1_000:]}\n")
            verified = hub.command("audit", "verify")
        finally:
            stopped = hub.stop()
    minutes = (time.monotonic() - began) / 60
    sys.stdout.write(
        f"{cases} requests to {done} of {len(patterns)} groups of paths, seed {asked.seed}, {minutes:.0f} min; {broken} with problems\n"
    )
    sys.stdout.write(f"audit verify: {verified.code}; the hub ended with {stopped}\n")
    return 1 if broken or verified.code or stopped else 0


if __name__ == "__main__":
    sys.exit(main())
