"""Every installed adapter alone: bytes to readings, beside the bare parser of the same bytes, in processor time of this process.

What is read is made of the fixtures (`bench.payloads`); the peak of memory is that of all items held at once, as a transport holds them.
"""

import tracemalloc
from time import process_time

from adapters.contract import Adapter
from adapters.discovery import adapters as installed
from adapters.reading import Reading
from bench.figures import Figure
from bench.payloads import SINGLE, Payload, payload
from bench.rig import Rig

READINGS_MAX = 2_000
"""Of one payload: what a day of a ward or a month of a sensor is; ten times as many take ten times as long."""
RUN_S_MIN = 0.2
"""Of processor time, for each figure of a round; what is shorter is done again until then."""
MIB = 1024 * 1024


def adapters(rig: Rig) -> list[Figure]:
    return [_figure(adapter, rig) for adapter in installed().values()]


def _figure(adapter: Adapter, rig: Rig) -> Figure:
    made = payload(adapter, 1 if adapter.manifest.name in SINGLE else min(rig.sizes.batch_rows, READINGS_MAX))
    readings = sum(isinstance(item, Reading) for item in adapter.decode(made.content))
    assert readings, f"{adapter.manifest.name} reads nothing of what was made for it"
    size = f"{readings:,} readings in {len(made.content):,} bytes"
    figure = Figure(
        benchmark="adapters", name=adapter.manifest.name, unit=" readings/s", note=f"{size}; {_peak_mib(adapter, made):.1f} MiB"
    )
    run_s = min(RUN_S_MIN, rig.sizes.seconds)
    for _ in range(rig.sizes.rounds):
        bare = _seconds(lambda: made.kind.parse(made.content), run_s)
        figure.add(readings / _seconds(lambda: list(adapter.decode(made.content)), run_s), **{made.kind.floor: readings / bare})
    return figure


def _seconds(work: object, run_s: float) -> float:
    """Processor time of one run."""
    assert callable(work)
    runs, began = 0, process_time()
    while (spent := process_time() - began) < run_s or not runs:
        work()
        runs += 1
    return max(spent, 1e-9) / runs


def _peak_mib(adapter: Adapter, made: Payload) -> float:
    tracemalloc.start()
    try:
        items = list(adapter.decode(made.content))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert items
    return peak / MIB
