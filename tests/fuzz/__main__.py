"""python -m tests.fuzz [--requests N] [--clients N] [--seed N]: a hub on an empty directory, fuzzed until N requests are done.

Prints what came back and every answer that must not come; ends with 1 if there was one.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.run import Fuzzer, Report, fuzz
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.process import HubProcess


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--problems", type=int, default=50, help="how many to print")
    asked = parser.parse_args()
    report, began = Report(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hub-fuzz-") as directory:
        hub = HubProcess(Path(directory) / "data").start()
        try:
            with Backstage(hub.data_dir, hub.url) as backstage, http_client(hub.url) as http:
                fuzzers = []
                for number in range(asked.clients):
                    account = new_client(
                        f"fuzz-{number}", "system/*.cruds", consent_default="opt-out", recorder=True, importer=number % 2 == 1
                    )
                    caller = Caller(http, backstage.register(account))
                    fuzzers.append(Fuzzer(caller=caller, seed=asked.seed * 1_000 + number, report=report))
                asyncio.run(fuzz(fuzzers, asked.requests // asked.clients))
            verified = hub.command("audit", "verify")
        finally:
            ended = hub.stop()
    sys.stdout.write(f"{report.sent} requests, seed {asked.seed}, {time.monotonic() - began:.0f} s, slowest {report.slowest_s:.2f} s\n")
    for key, count in sorted(report.statuses.items()):
        sys.stdout.write(f"  {key} {count}\n")
    sys.stdout.write(f"audit verify: {verified.code}; the hub ended with {ended}; problems: {len(report.problems)}\n")
    sys.stdout.write(f"slowest: {report.slowest}\n")
    for problem in report.problems[: asked.problems]:
        sys.stdout.write(f"- {problem}\n")
    return 1 if report.problems or verified.code or ended else 0


if __name__ == "__main__":
    sys.exit(main())
