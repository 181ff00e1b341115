"""python -m bench.page RESULTS.json: the table of docs/performance.md as Markdown."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench.report import number

Json = Mapping[str, Any]


def page(results: Json) -> str:
    machine, noise = results["machine"], results["noise"]
    head = (
        f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']:.0f} GB, Python {machine['python']}, "
        f"{results['began']}.\n"
        f"Load average before and after {noise['load_average'][0]:.1f} and {noise['load_average'][1]:.1f}; while the benchmark did "
        f"nothing, others took {min(noise['busy_shares']):.0%} to {max(noise['busy_shares']):.0%} of the machine.\n"
    )
    return head + "\n" + "\n".join(_table(results["figures"])) + "\n"


def _table(figures: list[Json]) -> Iterator[str]:
    yield "| what | median | ± | floor | ratio | CPU hub + mongod | asked for |"
    yield "| --- | ---: | ---: | --- | ---: | --- | --- |"
    for figure in figures:
        yield "| " + " | ".join(_cells(figure)) + " |"


def _cells(figure: Json) -> Iterator[str]:
    unit = figure["unit"]
    yield f"{figure['benchmark']}: {figure['name'].strip()}" + (f" ({figure['note']})" if figure["note"] else "")
    yield f"{number(figure['median'])}{unit}"
    yield f"{figure['spread'] / 2:.0%}" if len(figure["values"]) > 1 else ""
    yield "<br>".join(f"{name} {number(value)}{unit}" for name, value in figure["floor_medians"].items())
    yield "<br>".join(f"{ratio:.2f}" for ratio in figure["ratios"].values())
    cpu = figure["cpu_us_medians"]
    yield f"{number(cpu['hub'])} + {number(cpu['mongod'])} µs" if {"hub", "mongod"} <= cpu.keys() else ""
    yield "<br>".join(f"{target['text']}: {'met' if target['met'] else '**not met**'}" for target in figure["targets"])


if __name__ == "__main__":
    sys.stdout.write(page(json.loads(Path(sys.argv[1]).read_text())))
