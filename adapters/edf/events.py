"""Annotations of EDF+ -> items: those of the words that become a reading. Free text is not kept, for it may name somebody."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from adapters.edf.annotations import TALS_MAX, annotations, write_tal
from adapters.edf.header import Header, Signal, write_header
from adapters.edf.mapping import ANNOTATIONS
from adapters.edf.times import moment, plus
from adapters.reading import Item, Reading, Rejected
from adapters.refusal import ItemRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """An annotation where it was found. `word`: the one of the table that it is, or None; `onset` is empty where it is not readable."""

    at: int
    onset: str
    duration: str | None
    word: str | None
    text: str = ""


def marks(block: bytes, start: int) -> Iterator[Mark]:
    """Annotations of one record of one signal, `start` bytes from the beginning of the file. Free text is not among it."""
    for found in annotations(block):
        if isinstance(found, int):
            yield Mark(at=start + found, onset="", duration=None, word=None)
        else:
            word = found.text.strip().lower()
            yield Mark(
                at=start + found.place,
                onset=found.onset,
                duration=found.duration,
                word=word if word in ANNOTATIONS else None,
                text=found.text if word in ANNOTATIONS else "",
            )


def annotation_items(header: Header, found: Iterable[Mark]) -> Iterator[Item]:
    """Of one file; after the last that is read it is said that there are more."""
    for count, mark in enumerate(found, start=1):
        pointer = f"byte {mark.at}"
        if count > TALS_MAX:
            hint = f"More than {TALS_MAX} annotations are not read."
            yield Rejected(code="too-many-annotations", hint=hint, pointer=pointer, raw=b"+0", keep=False)
        elif not mark.onset:
            hint = "An annotation is not of the form that EDF+ asks for (TAL)."
            yield Rejected(code="annotation-not-readable", hint=hint, pointer=pointer, raw=b"+0", keep=False)
        else:
            yield _annotation(header, mark, pointer)


def _annotation(header: Header, found: Mark, pointer: str) -> Item:
    known = ANNOTATIONS.get(found.word or "")
    if known is None:
        hint = "The annotation is none of the words that become a reading. Free text is not kept, for it may name somebody."
        raw = write_tal(found.onset, found.duration)
        return Rejected(code="unknown-annotation", hint=hint, pointer=pointer, raw=raw, device=header.serial, keep=False)
    raw = _annotation_raw(header, found)
    try:
        ending = None if found.duration is None else moment(header, plus(found.onset, Decimal(found.duration)))
        return Reading(
            measure=known[0],
            device=header.serial,
            time=moment(header, found.onset),
            end=ending,
            value=known[1],
            pointer=pointer,
            raw=raw,
        )
    except ItemRefused as refusal:
        return refusal.item(pointer=pointer, raw=raw, device=header.serial)


def _annotation_raw(header: Header, found: Mark) -> bytes:
    tals = write_tal("+0") + write_tal(found.onset, found.duration, found.text)
    length = -(-len(tals) // header.sample_bytes) * header.sample_bytes
    small = header.of([annotation_signal(header, length)], records=1, form="C")
    return write_header(small) + tals.ljust(length, b"\x00")


def annotation_signal(header: Header, length: int) -> Signal:
    """A signal of annotations as EDF+ wants it, `length` bytes a record."""
    return Signal(
        label="BDF Annotations" if header.wide else "EDF Annotations",
        transducer="",
        dimension="",
        physical=("-1", "1"),
        digital=("-8388608", "8388607") if header.wide else ("-32768", "32767"),
        filters="",
        samples=length // header.sample_bytes,
    )
