"""python -m bench: measure, show a table, write JSON."""

import argparse
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from rich.console import Console

from bench import machine
from bench.create import create
from bench.figures import Figure
from bench.ingest import ingest
from bench.micro import micro
from bench.read import read
from bench.report import show, written
from bench.rig import DEFAULT, SMALL, TINY, Rig, rig
from bench.search import search
from bench.start import start
from bench.token import token
from bench.world import without_own_settings

BENCHMARKS: Mapping[str, Callable[[Rig], list[Figure]]] = {
    "micro": micro,
    "create": create,
    "read": read,
    "token": token,
    "ingest": ingest,
    "search": search,
    "start": start,
}
"""In this order: those that only need the small store first."""

RESULTS = Path(__file__).with_name("results")


def main(arguments: list[str]) -> int:
    asked = _parser().parse_args(arguments)
    sizes = TINY if asked.tiny else SMALL if asked.small else DEFAULT
    without_own_settings()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of the `finally`s that end the hubs
    console = Console(stderr=True)
    began, load_before = time.time(), machine.load_average()
    figures: list[Figure] = []
    with rig(sizes, console) as made:
        for name in asked.only or BENCHMARKS:
            made.look()
            console.print(f"[bold]{name}[/] …")
            figures += BENCHMARKS[name](made)
        noise = {"load_average": [load_before, machine.load_average()], "busy_shares": made.busy_shares, "busy": made.busy}
    show(figures, noise, sizes)
    path = asked.json or RESULTS / time.strftime("%Y-%m-%dT%H-%M-%S.json", time.gmtime(began))
    written(path, figures, noise, sizes, began)
    console.print(f"written to {path}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure the hub, each figure beside its floor of the same run.")
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), metavar="NAME", help=f"one of {', '.join(BENCHMARKS)}; may be repeated"
    )
    parser.add_argument("--small", action="store_true", help="100,000 Observations in the large store instead of a million, fewer rounds")
    parser.add_argument("--tiny", action="store_true", help="does everything run? The figures mean nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where to write the results (default: bench/results/)")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
