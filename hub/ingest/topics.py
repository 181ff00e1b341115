"""Which topic is read by which adapter, in whose name: rows of the setting HUB_MQTT_TOPICS.

    ward/+/bed/{device}=withings@my-client;timeZone=Europe/Paris

A row is a topic filter (https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901241), `=`, the adapter, `@`,
the client. `{device}` stands for one level and names the unit. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ROW = re.compile(r"([^=;]+)=([a-z0-9-]+)@([A-Za-z0-9._:+~-]+)(?:;timeZone=([A-Za-z0-9_+/-]+))?")
DEVICE = "{device}"
LEVEL_CHARS_MAX = 256


class TopicSyntax(ValueError):
    """A row is not one. Says what is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRow:
    """`levels` of the filter, with `{device}` in it or without."""

    levels: tuple[str, ...]
    adapter: str
    client: str
    time_zone: str | None = None

    @property
    def filter(self) -> str:
        """As the broker is asked."""
        return "/".join("+" if level == DEVICE else level for level in self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressed:
    """What the topic of a message says about it."""

    row: TopicRow
    device: str | None


def parse_row(text: str) -> TopicRow:
    """Raises TopicSyntax."""
    found = ROW.fullmatch(text.strip())
    if found is None:
        raise TopicSyntax("a row is FILTER=ADAPTER@CLIENT, if need be with ;timeZone=Europe/Paris")
    levels = tuple(found[1].strip().split("/"))
    wild = any(("+" in level and level != "+") or ("#" in level and level != "#") for level in levels)
    braced = any(("{" in level or "}" in level) and level != DEVICE for level in levels)
    if wild or "#" in levels[:-1] or braced or levels.count(DEVICE) > 1:
        raise TopicSyntax("in a filter, +, # (at the end) and {device} (once) are whole levels")
    return TopicRow(levels=levels, adapter=found[2], client=found[3], time_zone=found[4])


def address(topic: str, rows: tuple[TopicRow, ...]) -> Addressed | None:
    """The first row that fits."""
    levels = topic.split("/")
    for row in rows:
        if _fits(row.levels, levels):
            device = levels[row.levels.index(DEVICE)] if DEVICE in row.levels else None
            return Addressed(row=row, device=device if device and len(device) <= LEVEL_CHARS_MAX else None)
    return None


def apart(rows: Iterable[TopicRow]) -> list[tuple[TopicRow, ...]]:
    """Parts of which no two have a topic in common, each with its rows in their order: a message is one part's alone."""
    parts: list[list[tuple[int, TopicRow]]] = []
    for place, row in enumerate(rows):
        near = [part for part in parts if any(_meet(row.levels, one.levels) for _, one in part)]
        parts = [part for part in parts if part not in near]
        parts.append(sorted([*(one for part in near for one in part), (place, row)], key=lambda one: one[0]))
    return [tuple(row for _, row in part) for part in sorted(parts, key=lambda part: part[0][0])]


def _meet(one: Sequence[str], other: Sequence[str]) -> bool:
    """Could a topic fit both?"""
    if one[:1] == ("#",) or other[:1] == ("#",):
        return True
    if not one or not other:
        return not one and not other
    return (one[0] == other[0] or one[0] in ("+", DEVICE) or other[0] in ("+", DEVICE)) and _meet(one[1:], other[1:])


def _fits(pattern: tuple[str, ...], levels: list[str]) -> bool:
    """Topics that begin with $ are the broker's own: no wildcard stands for them."""
    if levels[0].startswith("$") and pattern[0] in ("+", "#", DEVICE):
        return False
    if pattern[-1] == "#":
        pattern, levels = pattern[:-1], levels[: max(len(pattern) - 1, 0)]
    return len(pattern) == len(levels) and all(one in ("+", DEVICE, level) for one, level in zip(pattern, levels, strict=True))
