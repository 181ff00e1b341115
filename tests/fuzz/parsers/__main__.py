"""python -m tests.fuzz.parsers [--executions N] [--processes N] [--folder DIR] [TARGET…]: each parser until it has had N executions.

Each target runs in a process of its own (engine.py), a share of its executions at a time, those that have had fewest first; a folder that
is there already is gone on with. `--figures` prints what was done so far and does nothing. Ends with 1 if there is a finding. Needs
atheris: `make fuzz` installs it.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz.parsers import engine, ledger
from tests.fuzz.parsers.ledger import Figures

NICE = 19
LAST = re.compile(r"cov: ([0-9]+) ft: [0-9]+ corp: ([0-9]+)")


def main() -> int:
    known = list(engine.TARGETS)
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.parsers", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(known)}; all if none is named")
    parser.add_argument("--executions", type=int, default=100_000, help="of each target, those of earlier runs counted in")
    parser.add_argument("--share", type=int, default=10_000, help="executions of a target before the next one's turn")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="corpora, figures and findings")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--figures", action="store_true", help="only print what was done so far")
    asked = parser.parse_args()
    wanted = asked.targets or known
    if not asked.figures:
        asked.folder.mkdir(parents=True, exist_ok=True)
        os.nice(NICE)
        run_all(asked, wanted)
    figures = [ledger.load(asked.folder, name) for name in wanted]
    sys.stdout.writelines(table(figures))
    return 1 if any(one.findings for one in figures) or ended(asked.folder) else 0


def run_all(asked: Any, wanted: list[str]) -> None:
    """As many processes as were asked for, until every target has had its executions."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    running: dict[int, Figures] = {}
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("parsers", total=asked.executions * len(wanted))
        while True:
            figures = [ledger.load(asked.folder, name) for name in wanted]
            progress.update(bar, completed=sum(min(one.executions, asked.executions) for one in figures))
            busy = {one.name for one in running.values()}
            rest = [one for one in figures if one.executions < asked.executions and one.name not in busy]
            if rest and len(running) < asked.processes:
                found = min(rest, key=lambda one: one.executions)
                progress.update(bar, description=found.name)
                running[begun(asked, found)] = found
            elif running:
                child, status = os.wait()
                account(asked, running.pop(child), os.waitstatus_to_exitcode(status))
            else:
                return


def runs_of(asked: Any, before: Figures) -> int:
    return min(asked.share, max(1_000, asked.executions - before.executions))


def begun(asked: Any, before: Figures) -> int:
    seed = asked.seed + before.executions
    return engine.begin(before.name, asked.folder, runs=runs_of(asked, before), seed=seed, log=asked.folder / f"{before.name}.log")


def account(asked: Any, before: Figures, code: int) -> None:
    """What a process did not count itself before it died is not counted; why it died is a finding."""
    after = ledger.load(asked.folder, before.name)
    text = (asked.folder / f"{before.name}.log").read_text(errors="replace")
    for edges, corpus in LAST.findall(text)[-1:]:
        after.edges, after.corpus = max(after.edges, int(edges)), int(corpus)
    if code:
        after.findings[f"the process ended with {code}: {text.strip()[-300:]}"] = 1
        after.executions = max(after.executions, before.executions + runs_of(asked, before))
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
