"""Start: from the command to `ready`, with the data directory of the large store, against its two parts alone."""

import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from bench.figures import Figure
from bench.machine import drop_from_cache
from bench.rig import Rig
from bench.world import World
from hub.store.embedded.binary import find_mongod

SECONDS_MAX = 5.0
MODULES = "import hub.cli.main, hub.cli.serve, hub.app, hub.wiring"
MONGOD, IMPORTS = "mongod alone", "imports alone"


def start(rig: Rig) -> list[Figure]:
    world = rig.many().world
    found = f"{rig.sizes.many:,} Observations"
    ways = (
        ("warm", rig.sizes.starts, _stop, ""),
        ("cold", rig.sizes.starts, _stop_and_forget, "files dropped from the page cache"),
        ("after kill -9", 1, _kill, "hub and mongod killed, journal replayed"),
    )
    figures = [_figure(world, rounds, f"{name}, {found}", end, note) for name, rounds, end, note in ways[: rig.sizes.ways]]
    for figure in figures:
        figure.expect(f"≤ {SECONDS_MAX:.0f} s", met=max(figure.values) <= SECONDS_MAX)
    return figures


def _figure(world: World, rounds: int, name: str, end: Callable[[World], None], note: str) -> Figure:
    figure = Figure(benchmark="start", name=name, unit=" s", better="less", note=note)
    for _ in range(rounds):
        end(world)
        mongod = _mongod_alone(world)
        end(world)
        imports = _imports_alone()
        end(world)
        figure.add(world.start(), **{MONGOD: mongod, IMPORTS: imports})
    return figure


def _mongod_alone(world: World) -> float:
    began = perf_counter()
    with world.endpoint():
        return perf_counter() - began


def _imports_alone() -> float:
    began = perf_counter()
    subprocess.run([sys.executable, "-c", MODULES], check=True)
    return perf_counter() - began


def _stop(world: World) -> None:
    world.stop()


def _stop_and_forget(world: World) -> None:
    world.stop()
    drop_from_cache(world.data_dir, Path(sysconfig.get_path("purelib")), Path(__file__).parents[1] / "hub", find_mongod())


def _kill(world: World) -> None:
    world.kill()
