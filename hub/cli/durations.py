"""Spans of time as a person types them: 90s, 15m, 36h, 14d."""

import re
from typing import Final

import typer

SECONDS: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"([1-9][0-9]{0,5})([smhd])")


def seconds(text: str, flag: str) -> int:
    """Raises typer.BadParameter."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise typer.BadParameter(f"{flag}: write a span of time as 90s, 15m, 36h or 14d")
    return int(match[1]) * SECONDS[match[2]]


def said(span_s: int) -> str:
    """The longest unit that keeps it whole."""
    unit = next(unit for unit in ("d", "h", "m", "s") if span_s % SECONDS[unit] == 0)
    return f"{span_s // SECONDS[unit]}{unit}"
