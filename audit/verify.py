"""Does the log still say what was written, and does the database still hold what the log says?

Pure: records, heads and current versions come in as iterables. Three questions, one pass over the records:

- is each record whole, and does each follow from the one before (`audit.chain`)?
- does each chain reach as far as its signed head, and through the hash that was signed (`audit.checkpoint`)?
- are the current versions of `resources` the ones last written under audit?

Read the heads first, then records and current versions in one snapshot; else what is written meanwhile is reported.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar
from zlib import crc32

from audit.chain import Head, is_whole
from audit.finding import Code, Finding
from audit.record import Record, from_document
from audit.walk import Findings, Walk

PROGRESS_EVERY = 10_000
"""Records and current versions between two calls of `progress`."""

Current = tuple[str, int, bytes]
"""Row, version and AEAD tag of what lies in `resources`."""

TAG_BITS = 128

Thing = TypeVar("Thing")


def verify(
    records: Iterable[Record | Finding],
    heads: Iterable[Head | Finding],
    current: Iterable[Current],
    *,
    progress: Callable[[int], None] | None = None,
    part: int = 0,
    parts: int = 1,
) -> list[Finding]:
    """What is wrong, at most `audit.walk.FINDINGS_MAX` of it; an empty list says that all is as written.

    records   in the order of writer and sequence, as `records_of` reads them
    progress  called with the number of records and versions seen so far, and at the end
    part, parts   compare only every `parts`-th row: memory is about 170 bytes for each row compared (a million
                  resources in one part: 170 MB), and the chains are walked again for each part

    Raises nothing: what cannot be read is a finding.
    """
    findings = Findings()
    walk, last = Walk(heads, findings), LastWrites(findings, part, parts)
    done = _Counter(progress)
    for record in done.counting(records):
        if isinstance(record, Finding):
            walk.pass_over(record)
        elif walk.take(record, whole=is_whole(record)):
            last.note(record)
    walk.finish()
    last.compare(done.counting(current))
    done.tell()
    return findings.listed()


def records_of(documents: Iterable[Mapping[str, Any]]) -> Iterator[Record | Finding]:
    """Documents of the log as records; one that lacks a field, or has no place, becomes a finding."""
    for document in documents:
        try:
            yield _read(document)
        except (KeyError, TypeError, ValueError) as fault:
            yield _unreadable(document, fault)


def _read(document: Mapping[str, Any]) -> Record:
    if not (isinstance(document["w"], bytes) and isinstance(document["s"], int)):
        raise TypeError("the place is not bytes and a number")
    return from_document(document)


def _unreadable(document: Mapping[str, Any], fault: Exception) -> Finding:
    writer, sequence, id_ = document.get("w"), document.get("s"), str(document.get("_id"))
    return Finding(
        code="record-unreadable",
        writer=writer if isinstance(writer, bytes) else None,
        sequence=sequence if isinstance(sequence, int) else None,
        what=id_,
        text=f"record {id_} cannot be read: {type(fault).__name__} {fault}",
    )


class LastWrites:
    """The last audited version of each row, to be compared with what is there now.

    Where two writes name the same version (sealed anew under another key), either tag is right.
    """

    def __init__(self, findings: Findings, part: int, parts: int) -> None:
        self._findings, self._part, self._parts = findings, part, parts
        self._last: dict[str, int] = {}
        self._also: dict[str, set[int]] = {}

    def note(self, record: Record) -> None:
        for write in record.draft.writes:
            if self._concerns(write.row):
                self._keep(write.row, _packed(write.version, write.tag))

    def compare(self, current: Iterable[Current]) -> None:
        """Reports what differs. Rows that are not there are reported last."""
        for row, version, tag in current:
            if self._concerns(row):
                self._compare(row, _packed(version, tag))
        for row, written in self._last.items():
            self._report("resource-missing", row, f"was written as version {written >> TAG_BITS} and is not there")

    def _concerns(self, row: str) -> bool:
        return self._parts == 1 or crc32(row.encode()) % self._parts == self._part

    def _keep(self, row: str, written: int) -> None:
        known = self._last.get(row, 0)
        if known >> TAG_BITS < written >> TAG_BITS:
            self._last[row] = written
            self._also.pop(row, None)
        elif known >> TAG_BITS == written >> TAG_BITS and known != written:
            self._also.setdefault(row, set()).add(written)

    def _compare(self, row: str, found: int) -> None:
        written = self._last.pop(row, None)
        if written is None:
            self._report("resource-unaudited", row, "is there, but no record tells of its writing")
        elif written != found and found not in self._also.get(row, ()):
            self._report_difference(row, found >> TAG_BITS, written >> TAG_BITS)

    def _report_difference(self, row: str, found: int, written: int) -> None:
        if found < written:
            self._report("resource-older", row, f"is at version {found}, older than version {written} which was last written")
        elif found > written:
            self._report("resource-newer", row, f"is at version {found}, but version {written} is the last that was recorded")
        else:
            self._report("resource-changed", row, f"does not hold the bytes that were written as version {written}")

    def _report(self, code: Code, row: str, text: str) -> None:
        self._findings.add(Finding(code=code, what=row, text=f"{row} {text}"))


def _packed(version: int, tag: bytes) -> int:
    """Version and tag in one number: half the memory of a pair."""
    return version << TAG_BITS | int.from_bytes(tag, "big")


class _Counter:
    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._progress, self._done = progress, 0

    def counting(self, things: Iterable[Thing]) -> Iterator[Thing]:
        for thing in things:
            yield thing
            self._done += 1
            if self._done % PROGRESS_EVERY == 0:
                self.tell()

    def tell(self) -> None:
        if self._progress:
            self._progress(self._done)
