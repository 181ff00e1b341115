"""`python -m tests.e2e.differential --cases 100000 --seed 1`: the long run, and what it covered."""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from pymongo import AsyncMongoClient

from hub.store.embedded import Endpoint, sharing
from hub.store.schema import ensure_indexes
from tests.e2e.differential.run import Report, run


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-store", type=int, default=2_500)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, sharing(Path(directory), cache_gb=0.25) as endpoint:
        report = asyncio.run(_run(endpoint, Path(directory), given))
    say(f"{report.cases} cases, seed {given.seed}, {time.monotonic() - began:.0f} s, {report.answered} with something to be found")
    say("\n".join(f"{count:>8}  {name}" for name, count in sorted(report.features.items())))
    say("\n\n".join(report.differences) or "no difference")
    return bool(report.differences)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _run(endpoint: Endpoint, directory: Path, given: argparse.Namespace) -> Report:
    async with AsyncMongoClient(endpoint.url) as client, AsyncMongoClient(endpoint.admin_url) as admin:
        await ensure_indexes(client, admin)
    return await run(endpoint, directory, seed=given.seed, cases=given.cases, per_store=given.per_store, tell=say)


if __name__ == "__main__":
    raise SystemExit(main())
