"""The XML of an aECG as values: series, their device and time, and their sequences of samples.

No entity is expanded and no document type taken (defusedxml). Who the subject is lies elsewhere in the document and is not read.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from adapters.contract import Unreadable

NS = "{urn:hl7-org:v3}"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
SERIES_MAX, SEQUENCES_MAX = 1_000, 10_000
DEPTH_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequence:
    """One lead as written: `code`, `origin` and `scale` as (value, unit), the digits."""

    code: str
    pointer: str
    origin: tuple[str, str]
    scale: tuple[str, str]
    digits: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A series with one time base.

    start      timestamp: the head of an absolute time, else the beginning of the series
    head       (value, unit) of a relative time, after `start`; None of an absolute one
    increment  (value, unit)
    """

    device: str | None
    start: str
    head: tuple[str, str] | None
    increment: tuple[str, str]
    sequences: tuple[Sequence, ...]


def read_document(payload: bytes) -> Element:
    """The root. Raises Unreadable; never repeats what the document says."""
    root = _root(payload)
    if root is None:
        raise Unreadable("not-xml", "The payload is not well-formed XML, or brings a document type or entities of its own.")
    if root.tag != f"{NS}AnnotatedECG":
        raise Unreadable("not-aecg", "The root of the XML is not AnnotatedECG in urn:hl7-org:v3.", pointer="/")
    return root


def _root(payload: bytes) -> Element | None:
    try:
        found: Element = fromstring(payload, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError):
        return None
    return found


def series_of(root: Element) -> Iterator[Series]:
    """Rhythms; the representative beats that a device derives from them are counted by `derived`."""
    fallback = _timestamp(root)
    for place, series in enumerate(root.findall(f"{NS}component/{NS}series")[:SERIES_MAX]):
        device = _device(series)
        start = _timestamp(series) or fallback
        for number, sequence_set in enumerate(series.findall(f"{NS}component/{NS}sequenceSet")):
            yield _series(sequence_set, device, start, f"/component/{place}/series/component/{number}/sequenceSet")


def derived(root: Element) -> int:
    """How many derived series and sets of annotations there are, which become no reading."""
    return sum(1 for _ in root.iter(f"{NS}derivedSeries")) + sum(1 for _ in root.iter(f"{NS}annotationSet"))


def _series(sequence_set: Element, device: str | None, start: str, pointer: str) -> Series:
    head: tuple[str, str] | None = None
    increment = ("", "")
    sequences = []
    for place, sequence in enumerate(sequence_set.findall(f"{NS}component/{NS}sequence")[:SEQUENCES_MAX]):
        code, value = _attribute(sequence, "code", "code"), sequence.find(f"{NS}value")
        if value is None:
            continue
        if code in {"TIME_ABSOLUTE", "TIME_RELATIVE"}:
            increment = _quantity(value, "increment")
            start, head = (_attribute(value, "head", "value"), None) if code == "TIME_ABSOLUTE" else (start, _quantity(value, "head"))
        else:
            sequences.append(_sequence(code, value, f"{pointer}/component/{place}/sequence"))
    return Series(device=device, start=start, head=head, increment=increment, sequences=tuple(sequences))


def _sequence(code: str, value: Element, pointer: str) -> Sequence:
    return Sequence(
        code=code,
        pointer=pointer,
        origin=_quantity(value, "origin"),
        scale=_quantity(value, "scale"),
        digits=(value.findtext(f"{NS}digits") or "").strip(),
    )


def _timestamp(element: Element) -> str:
    """The beginning of what it lasts, or its middle where that is all it says."""
    time = element.find(f"{NS}effectiveTime")
    return "" if time is None else _attribute(time, "low", "value") or _attribute(time, "center", "value")


def _device(series: Element) -> str | None:
    found = series.find(f"{NS}author/{NS}seriesAuthor/{NS}manufacturedSeriesDevice/{NS}id")
    if found is None:
        return None
    return found.get("extension", "").strip() or found.get("root", "").strip() or None


def _attribute(element: Element, child: str, name: str) -> str:
    found = element.find(f"{NS}{child}")
    return "" if found is None else found.get(name, "").strip()


def _quantity(element: Element, child: str) -> tuple[str, str]:
    return _attribute(element, child, "value"), _attribute(element, child, "unit")
