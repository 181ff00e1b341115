"""python -m tests.fuzz.parsers [--executions N] [--processes N] [--folder DIR] [TARGET…]: each parser until it has had N executions.

Each target runs in a process of its own (engine.py), a share of its executions at a time, those that have had fewest first; a folder that
is there already is gone on with. Ends with 1 if there is a finding. Needs atheris: `make fuzz` installs it.
"""

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz.parsers import ledger
from tests.fuzz.parsers.ledger import Figures
from tests.fuzz.parsers.targets import names

SHARE = 100_000
NICE = 19
LAST = re.compile(r"cov: ([0-9]+) ft: [0-9]+ corp: ([0-9]+)")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.parsers", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(names())}; all if none is named")
    parser.add_argument("--executions", type=int, default=100_000, help="of each target, those of earlier runs counted in")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="corpora, figures and findings")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    wanted = asked.targets or names()
    run_all(asked, wanted)
    figures = [ledger.load(asked.folder, name) for name in wanted]
    sys.stdout.writelines(table(figures))
    return 1 if any(one.findings for one in figures) or ended(asked.folder) else 0


def run_all(asked: Any, wanted: list[str]) -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    lock = Lock()
    running: set[str] = set()
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress, ThreadPoolExecutor(asked.processes) as threads:
        done = sum(min(ledger.load(asked.folder, name).executions, asked.executions) for name in wanted)
        bar = progress.add_task("parsers", total=asked.executions * len(wanted), completed=done)

        def work() -> None:
            while (found := taken(asked, wanted, running, lock)) is not None:
                progress.update(bar, description=found.name)
                runs = share(asked, found)
                go_on(asked, found, runs)
                progress.advance(bar, runs)
                with lock:
                    running.discard(found.name)

        for future in [threads.submit(work) for _ in range(asked.processes)]:
            future.result()


def taken(asked: Any, wanted: list[str], running: set[str], lock: Lock) -> Figures | None:
    """The target that has had fewest executions and that no other process is busy with."""
    with lock:
        rest = [ledger.load(asked.folder, name) for name in wanted if name not in running]
        unfinished = [one for one in rest if one.executions < asked.executions]
        found = min(unfinished, key=lambda one: one.executions, default=None)
        if found is not None:
            running.add(found.name)
        return found


def share(asked: Any, figures: Figures) -> int:
    return min(SHARE, max(1_000, asked.executions - figures.executions))


def go_on(asked: Any, before: Figures, runs: int) -> None:
    """One process. What it did not count itself before it died is not counted; why it died is a finding."""
    seed = asked.seed + before.executions
    command = [sys.executable, "-m", "tests.fuzz.parsers.engine", before.name, "--folder", str(asked.folder)]
    command += ["--runs", str(runs), "--seed", str(seed)]
    log = asked.folder / f"{before.name}.log"
    with log.open("w") as out:
        code = subprocess.run(command, stdout=out, stderr=out, check=False, preexec_fn=lambda: os.nice(NICE)).returncode
    after = ledger.load(asked.folder, before.name)
    text = log.read_text(errors="replace")
    for edges, corpus in LAST.findall(text)[-1:]:
        after.edges, after.corpus = max(after.edges, int(edges)), int(corpus)
    if code:
        after.findings[f"the process ended with {code}: {text.strip()[-300:]}"] = 1
        after.executions = max(after.executions, before.executions + runs)
    ledger.save(asked.folder, after)


def ended(folder: Path) -> list[Path]:
    """Inputs on which libFuzzer ended the process: without end, or with too much memory."""
    return sorted((folder / "ended").glob("*"))


def table(figures: list[Figures]) -> Iterator[str]:
    """As docs/fuzzing.md has it."""
    yield "| target | executions | per s | branches | slowest ms | peak MiB (before) | one input MiB | findings |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    for one in figures:
        rate = one.executions / one.seconds if one.seconds else 0
        cost = f"{one.slowest_s * 1e3:.0f} | {one.rss_mib:.0f} ({one.base_mib:.0f}) | {one.growth_mib:.1f}"
        yield f"| {one.name} | {one.executions:,} | {rate:,.0f} | {one.edges} | {cost} | {len(one.findings)} |\n"
    executions, seconds = sum(one.executions for one in figures), sum(one.seconds for one in figures)
    yield f"| all | {executions:,} | {executions / max(seconds, 1):,.0f} | | | | | {sum(len(one.findings) for one in figures)} |\n"


if __name__ == "__main__":
    sys.exit(main())
