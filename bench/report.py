"""The table for people and the JSON for comparing runs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from time import gmtime, strftime
from typing import Any

from rich.console import Console
from rich.table import Table

from bench import machine
from bench.figures import Figure, spread
from bench.rig import Sizes

WIDTH_MIN = 132
SPREAD_NOTED = 0.25
"""Floors that waver by more than this make every ratio doubtful; the report says so."""


def show(figures: Sequence[Figure], noise: Mapping[str, Any], sizes: Sizes) -> None:
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH_MIN)
    table = Table(title="The hub and its floors", title_justify="left", caption=_noise(figures, noise), caption_justify="left")
    for name in ("", "median", "±", "floor", "ratio", "CPU hub+mongod+load", "asked for", ""):
        table.add_column(name, justify="right" if name in ("median", "±", "ratio") else "left", overflow="fold")
    benchmark = ""
    for figure in figures:
        if figure.benchmark != benchmark:
            benchmark = figure.benchmark
            table.add_section()
            table.add_row(f"[bold]{benchmark}[/]")
        table.add_row(*_row(figure))
    console.print(table)
    console.print(f"{len(figures)} figures of {sizes.rounds} rounds each; docs/performance.md says what they mean.")


def _row(figure: Figure) -> tuple[str, ...]:
    floors = [(f"{name} {number(median(values))}{figure.unit}", f"{figure.ratio(name):.2f}") for name, values in figure.floors.items()]
    return (
        figure.name + (f"\n[dim]{figure.note}[/]" if figure.note else ""),
        f"{number(figure.value)}{figure.unit}",
        f"{figure.spread() / 2:.0%}" if len(figure.values) > 1 else "",
        "\n".join(text for text, _ in floors),
        "\n".join(ratio for _, ratio in floors),
        _cpu(figure),
        "\n".join(target.text for target in figure.targets),
        "\n".join("[green]pass[/]" if target.met else "[red]FAIL[/]" for target in figure.targets),
    )


def _cpu(figure: Figure) -> str:
    taken = figure.cpu()
    said = [number(taken[name]) for name in ("hub", "mongod", "load") if name in taken]
    return " + ".join(said) + " µs" if said else ""


def number(value: float) -> str:
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _noise(figures: Sequence[Figure], noise: Mapping[str, Any]) -> str:
    """How far these figures can be trusted."""
    shares = noise["busy_shares"]
    others = f"others took {min(shares):.0%} to {max(shares):.0%} of it" if shares else "what others took of it is not known here"
    wavering = [spread(values) for figure in figures for values in figure.floors.values() if len(values) > 1]
    floors = f"; floors wavered by up to {max(wavering):.0%} between rounds" if wavering else ""
    doubt = "; compare ratios, not figures" if noise["busy"] or (wavering and max(wavering) > SPREAD_NOTED) else ""
    load = ", ".join(f"{one:.1f}" for one in noise["load_average"])
    return f"Load average before and after {load}. The machine was {'busy' if noise['busy'] else 'quiet'}: {others}{floors}{doubt}."


def written(path: Path, figures: Sequence[Figure], noise: Mapping[str, Any], sizes: Sizes, began: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = {
        "began": strftime("%Y-%m-%dT%H:%M:%SZ", gmtime(began)),
        "machine": machine.described(),
        "noise": noise,
        "sizes": asdict(sizes),
        "figures": [figure.to_json() for figure in figures],
    }
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
