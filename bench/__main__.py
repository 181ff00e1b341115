"""python -m bench: measure, show a table, write JSON."""

import argparse
import signal
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.figures import Figure
    from bench.rig import Rig

BENCHMARKS = ("micro", "shapes", "create", "bundle", "pair", "read", "token", "ingest", "search", "joined", "start", "adapters")
"""Each is a module with a function of its name, in this order: those that only need the small store first."""

RESULTS = Path(__file__).with_name("results")
ENDED = 143


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    from rich.console import Console  # only now: wrong use is told at once

    from bench import machine, report, rig, world

    sizes = rig.TINY if asked.tiny else rig.SMALL if asked.small else rig.DEFAULT
    world.without_own_settings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(ENDED))  # by way of the `finally`s that end the hubs
    console = Console(stderr=True)
    began, load_before = time.time(), machine.load_average()
    figures: list[Figure] = []
    with rig.rig(sizes, console) as made:
        for name in asked.only or BENCHMARKS:
            made.look()
            console.print(f"[bold]{name}[/] …")
            figures += _benchmark(name)(made)
        noise = {"load_average": [load_before, machine.load_average()], "busy_shares": made.busy_shares, "busy": made.busy}
    report.show(figures, noise, sizes)
    path = asked.json or RESULTS / time.strftime("%Y-%m-%dT%H-%M-%S.json", time.gmtime(began))
    report.written(path, figures, noise, sizes, began)
    console.print(f"written to {path}")
    return 0


def _benchmark(name: str) -> "Callable[[Rig], list[Figure]]":
    found: Callable[[Rig], list[Figure]] = getattr(import_module(f"bench.{name}"), name)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the hub, each figure beside its floor of the same run.")
    names = ", ".join(BENCHMARKS)
    parser.add_argument("--only", action="append", choices=BENCHMARKS, metavar="NAME", help=f"one of {names}; may be repeated")
    parser.add_argument("--small", action="store_true", help="100,000 Observations in the large store instead of a million, fewer rounds")
    parser.add_argument("--tiny", action="store_true", help="does everything run? The figures mean nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results (default: bench/results/)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
