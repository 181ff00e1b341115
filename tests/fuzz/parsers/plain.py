"""python -m tests.fuzz.parsers.plain [--executions N] [--closely] [--processes N] [--folder DIR] [TARGET…]: many inputs, unguided.

Coverage costs nine tenths of a run. Here the same parsers keep the same promises on inputs that are made, without looking at branches, from
what the guided runs have kept (engine.py) and from the seeds: one to four changes each, by the mutators that know the format or of octets.
Needs nothing but the hub; a folder that is there already is gone on with. Ends with 1 if there is a finding.
"""

import argparse
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from random import Random
from types import FrameType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tests.fuzz.parsers import ledger
from tests.fuzz.parsers.ledger import Figures
from tests.fuzz.parsers.mutators import Mutator
from tests.fuzz.parsers.seeds import found
from tests.fuzz.parsers.targets import BYTES_MAX, names, target

NICE = 19
CHANGES_MAX = 4
HANG_S = 10.0
"""Of processor time for one input: what takes as long never ends."""
SHARE = 20_000
"""Executions of a target before its process ends; the next share begins with others' memory given back."""
FOLDER = "plain"


class Hang(Exception):
    """Nothing came back."""


def octets(chance: Random, payload: bytes, words: Sequence[bytes]) -> bytes:
    """One octet, a bit of one, a run that goes or comes twice, a word in the middle, or the end cut off."""
    at = chance.randrange(len(payload) + 1)
    end = min(len(payload), at + chance.randrange(1, 17))
    match chance.randrange(6):
        case 0:
            return payload[:at] + bytes((chance.randrange(256),)) + payload[at + 1 :]
        case 1 if at < len(payload):
            return payload[:at] + bytes((payload[at] ^ 1 << chance.randrange(8),)) + payload[at + 1 :]
        case 2:
            return payload[:at] + payload[end:]
        case 3:
            return payload[:end] + payload[at:]
        case 4:
            return payload[:at] + (chance.choice(words) if words else b"\x00") + payload[at:]
        case _:
            return payload[:at]


def inputs(chance: Random, corpus: Sequence[bytes], mutators: Sequence[Mutator], words: Sequence[bytes]) -> Iterator[bytes]:
    """Without end; the same for the same chance."""
    kinds = (*mutators, octets)
    while True:
        payload = chance.choice(corpus)
        for _ in range(chance.randint(1, CHANGES_MAX)):
            payload = chance.choice(kinds)(chance, payload or b"\n", words)[:BYTES_MAX]
        yield payload


def share(name: str, folder: Path, executions: int, *, closely: bool = False) -> Figures:
    """Run so many inputs, in a process of its own, and return what came of all of the target's shares. `closely`: as `Target` has it."""
    signal.signal(signal.SIGVTALRM, _hang)
    place = folder / FOLDER
    place.mkdir(parents=True, exist_ok=True)
    figures, one = ledger.load(place, name), target(name)
    corpus = corpus_of(name, folder) or [b"\n"]
    made = inputs(Random(f"{name} {figures.executions}"), corpus, one.mutators, sorted(set(one.words())))
    figures.corpus, figures.base_mib = len(corpus), _peak_mib()
    began, peak = time.monotonic(), figures.base_mib
    for _ in range(executions):
        peak = _run(one.closely if closely else one.run, next(made), figures, place, peak)
    figures.seconds += time.monotonic() - began
    ledger.save(place, figures)
    return figures


def corpus_of(name: str, folder: Path) -> list[bytes]:
    """Seeds, what was found once, and whatever the guided runs have kept."""
    kept = sorted((folder / "corpus" / name).glob("*")) if (folder / "corpus" / name).is_dir() else []
    return list(dict.fromkeys([*target(name).seeds(), *(path.read_bytes() for path in [*found(name), *kept])]))


def _run(run: Callable[[bytes], None], payload: bytes, figures: Figures, place: Path, peak: float) -> float:
    began = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, HANG_S)
    try:
        run(payload)
    except Exception as error:  # noqa: BLE001 - each one is a finding
        _note(figures, place, ledger.signature(error), payload)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    seconds, now = time.process_time() - began, _peak_mib()
    figures.executions += 1
    if seconds > figures.slowest_s:
        figures.slowest_s, figures.slowest = seconds, repr(payload[:300])
    if seconds > ledger.CPU_S_MAX:
        _note(figures, place, f"takes more than {ledger.CPU_S_MAX} s", payload)
    if now - peak > ledger.GROWTH_MIB_MAX:
        _note(figures, place, f"takes more than {ledger.GROWTH_MIB_MAX} MiB", payload)
    figures.growth_mib, figures.rss_mib = max(figures.growth_mib, now - peak), max(figures.rss_mib, now)
    return now


def _note(figures: Figures, place: Path, what: str, payload: bytes) -> None:
    figures.findings[what] = figures.findings.get(what, 0) + 1
    ledger.keep_input(place, figures.name, what, payload)


def _hang(_: int, __: FrameType | None) -> None:
    raise Hang


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_024


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.parsers.plain", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(names())}; all if none is named")
    parser.add_argument("--executions", type=int, default=200_000, help="of each target, those of earlier runs counted in")
    parser.add_argument("--closely", action="store_true", help="look at each payload as otherwise at one in sixteen")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path(".fuzz"), help="corpora of the guided runs; figures and findings go there too")
    parser.add_argument("--figures", action="store_true", help="only print what was done so far")
    asked = parser.parse_args()
    wanted = asked.targets or list(names())
    if not asked.figures:
        run_all(wanted, asked.folder, asked.executions, asked.processes, closely=asked.closely)
    figures = [ledger.load(asked.folder / FOLDER, name) for name in wanted]
    sys.stdout.writelines(table(figures))
    return 1 if any(one.findings for one in figures) else 0


def run_all(wanted: Sequence[str], folder: Path, executions: int, processes: int, *, closely: bool) -> None:
    """Round after round, so that every target has as many as the others whenever this is ended."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, disable=not sys.stderr.isatty()) as progress:
        bar = progress.add_task("parsers", total=executions * len(wanted))
        while True:
            rest = {name: executions - ledger.load(folder / FOLDER, name).executions for name in wanted}
            progress.update(bar, completed=executions * len(wanted) - sum(max(0, left) for left in rest.values()))
            least = max(rest.values())
            due = [name for name, left in rest.items() if left > 0 and left > least - SHARE]
            if not due:
                return
            with ProcessPoolExecutor(processes, mp_context=get_context("fork"), initializer=_stand_back) as pool:
                submitted = [pool.submit(share, name, folder, min(SHARE, rest[name]), closely=closely) for name in due]
                for one in as_completed(submitted):
                    progress.update(bar, advance=SHARE, description=one.result().name)


def _stand_back() -> None:
    """Unless who began this has said already how far."""
    if os.nice(0) == 0:
        os.nice(NICE)


def table(figures: Sequence[Figures]) -> Iterator[str]:
    """As docs/fuzzing.md has it."""
    yield "| target | executions | per s | inputs they are made from | slowest ms | peak MiB | one input MiB | findings |\n"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |\n"
    for one in figures:
        rate = one.executions / one.seconds if one.seconds else 0
        cost = f"{one.slowest_s * 1e3:.0f} | {one.rss_mib:.0f} | {one.growth_mib:.1f}"
        yield f"| {one.name} | {one.executions:,} | {rate:,.0f} | {one.corpus} | {cost} | {len(one.findings)} |\n"
    yield f"| all | {sum(one.executions for one in figures):,} | | | | | | {sum(len(one.findings) for one in figures)} |\n"


if __name__ == "__main__":
    sys.exit(main())
