r"""Time-stamped annotations lists (TAL) of EDF+: `+onset[\x15duration]\x14text\x14…\x14\x00`.

https://www.edfplus.info/specs/edfplus.html#tal
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

TALS_MAX = 200_000
_TAL = re.compile(rb"([+-][0-9]{1,12}(?:\.[0-9]{1,12})?)(?:\x15([0-9]{1,12}(?:\.[0-9]{1,12})?))?\x14([^\x00]*)\x14\x00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """`onset` in seconds after the file's start, with its sign, and `duration`, as written; `text` decoded."""

    onset: str
    duration: str | None
    text: str
    place: int


def record_onset(block: bytes) -> str | None:
    """When the data record began that this annotation signal lies in: its first TAL, whose first text is empty."""
    found = _TAL.match(block)
    return found[1].decode() if found is not None and (found[3] == b"" or found[3].startswith(b"\x14")) else None


def annotations(block: bytes) -> Iterator[Annotation | int]:
    """Each annotation of a data record, and the place of what is not one."""
    place = 0
    while place < len(block):
        if block[place] == 0:
            place = _after_zeros(block, place)
            continue
        found = _TAL.match(block, place)
        if found is None:
            yield place
            place = block.find(b"\x00", place) % (len(block) + 1) or len(block)
            continue
        for text in found[3].split(b"\x14"):
            if text:
                duration = None if found[2] is None else found[2].decode()
                yield Annotation(onset=found[1].decode(), duration=duration, text=text.decode("utf-8", "replace"), place=place)
        place = found.end()


def write_tal(onset: str, duration: str | None = None, text: str = "") -> bytes:
    lasting = "" if duration is None else f"\x15{duration}"
    return f"{onset}{lasting}\x14{text}\x14\x00".encode()


def _after_zeros(block: bytes, place: int) -> int:
    rest = re.compile(rb"\x00+").match(block, place)
    return len(block) if rest is None else rest.end()
