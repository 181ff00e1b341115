"""The walk along the chains: one record after the other, remembering only what is needed to judge the next."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from audit.chain import Head, fits, genesis_hash
from audit.finding import Code, Finding, short
from audit.record import Record

FINDINGS_MAX = 1_000
MOVES_TRIED_MAX = 100_000
"""Places at which broken records are tried before they are called changed: about a third of a second."""

Place = tuple[bytes, int]
Range = tuple[int, int]
Gaps = dict[bytes, list[Range]]


class Findings:
    """What was found, up to a limit: a log of which half is gone need not be listed record by record."""

    def __init__(self) -> None:
        self._list: list[Finding] = []
        self._more = 0

    def add(self, finding: Finding) -> None:
        if len(self._list) < FINDINGS_MAX:
            self._list.append(finding)
        else:
            self._more += 1

    def heads(self, read: Iterable[Head | Finding]) -> list[Head]:
        """The heads that could be read; what is wrong with the others is taken over."""
        heads = []
        for head in read:
            if isinstance(head, Finding):
                self.add(head)
            else:
                heads.append(head)
        return heads

    def writers(self) -> frozenset[bytes]:
        return frozenset(finding.writer for finding in self._list if finding.writer is not None)

    def listed(self) -> list[Finding]:
        if not self._more:
            return self._list
        return [*self._list, Finding(code="more", text=f"and {self._more} more findings")]


@dataclass(slots=True)
class _Chain:
    """`next` is the place expected next; `last` the hash it must follow, None where that is not known."""

    next: int = 1
    last: bytes | None = None
    gaps: list[Range] = field(default_factory=list)


class Walk:
    """Feed the records in the order of writer and sequence, then `finish`.

    A record that is not whole is neither believed nor followed from. Its place stays open until the end, when it is
    tried at the open places (was it moved?) before it is called changed.
    """

    def __init__(self, read_heads: Iterable[Head | Finding], findings: Findings) -> None:
        self._findings = findings
        self._heads = {head.writer: head for head in findings.heads(read_heads)}
        self._signed_badly = findings.writers()
        self._wanted: dict[Place, set[bytes]] = {}
        self._ends: dict[bytes, int] = {}
        for head in self._heads.values():
            for signed in (head, *head.follows):
                self._wanted.setdefault((signed.writer, signed.sequence), set()).add(signed.hash)
                self._ends[signed.writer] = max(self._ends.get(signed.writer, 0), signed.sequence)
        self._chains: dict[bytes, _Chain] = {}
        self._broken: list[Record] = []
        self._passed_over: list[Place] = []

    def take(self, record: Record, *, whole: bool) -> bool:
        """Is the record to be believed? Whatever is wrong with it is reported, now or at the end."""
        chain = self._chains.get(record.writer) or self._begin(record.writer)
        if not whole:
            self._set_aside(chain, record)
            return False
        if record.sequence >= chain.next:
            self._go_on(chain, record)
        elif not _close(chain.gaps, record.sequence):
            self._report("record-duplicate", record, "takes a place that is taken")
            return False
        else:
            self._report("record-moved", record, f"stands after record {chain.next - 1} of its writer")
        wanted = self._wanted.get((record.writer, record.sequence))
        if wanted and wanted != {record.hash}:
            self._report("chain-rewritten", record, "has another hash than the one that was signed")
        return True

    def pass_over(self, finding: Finding) -> None:
        """A record of which only the place is known."""
        self._findings.add(finding)
        if finding.writer is not None and finding.sequence is not None:
            self._passed_over.append((finding.writer, finding.sequence))

    def finish(self) -> None:
        """Report what only the end shows: broken and moved records, gaps, cut-off tails, missing and unsigned chains."""
        gaps = self._gaps()
        self._settle_broken(gaps)
        for writer, sequence in self._passed_over:
            _close(gaps.get(writer, []), sequence)
        for writer, ranges in sorted(gaps.items()):
            for first, last in ranges:
                self._report_gap(writer, first, last)
        for writer, chain in self._chains.items():
            if chain.next > 1 and writer not in self._heads and writer not in self._signed_badly:
                text = f"the chain of writer {short(writer)} has no signed head"
                self._findings.add(Finding(code="chain-unsigned", writer=writer, text=text))

    def _begin(self, writer: bytes) -> _Chain:
        head = self._heads.get(writer)
        chain = self._chains[writer] = _Chain(last=genesis_hash(writer, head.follows) if head else None)
        return chain

    def _go_on(self, chain: _Chain, record: Record) -> None:
        if record.sequence > chain.next:
            chain.gaps.append((chain.next, record.sequence - 1))
        elif chain.last is not None and chain.last != record.previous:
            self._report_replaced(record)
        chain.next, chain.last = record.sequence + 1, record.hash

    def _set_aside(self, chain: _Chain, record: Record) -> None:
        if len(self._broken) < FINDINGS_MAX:
            self._broken.append(record)
            return
        self._report("record-changed", record, "does not fit its hash")
        if record.sequence >= chain.next:
            chain.next, chain.last = record.sequence + 1, None

    def _gaps(self) -> Gaps:
        """All places that no whole record takes, up to the farthest that was signed."""
        gaps = {writer: list(chain.gaps) for writer, chain in self._chains.items()}
        for writer, end in self._ends.items():
            next_ = self._chains[writer].next if writer in self._chains else 1
            if end >= next_:
                gaps.setdefault(writer, []).append((next_, end))
        return gaps

    def _settle_broken(self, gaps: Gaps) -> None:
        places = list(islice(self._open_places(gaps), MOVES_TRIED_MAX // max(1, len(self._broken))))
        for record in self._broken:
            home = _home(record, places)
            writer, sequence = home or (record.writer, record.sequence)
            _close(gaps.get(writer, []), sequence)
            if home is None:
                self._report("record-changed", record, "does not fit its hash")
            else:
                self._report("record-moved", record, f"belongs to place {sequence} of writer {short(writer)}")

    def _open_places(self, gaps: Gaps) -> Iterator[Place]:
        yield from ((record.writer, record.sequence) for record in self._broken)
        for writer, ranges in gaps.items():
            for first, last in ranges:
                yield from ((writer, sequence) for sequence in range(first, last + 1))

    def _report(self, code: Code, record: Record, text: str) -> None:
        text = f"record {record.draft.id} at {record.sequence} of writer {short(record.writer)} {text}"
        self._findings.add(Finding(code=code, writer=record.writer, sequence=record.sequence, what=record.draft.id, text=text))

    def _report_replaced(self, after: Record) -> None:
        sequence = after.sequence - 1
        whole = f"record {sequence}" if sequence else "the beginning"
        text = f"{whole} of writer {short(after.writer)} is not the one that record {after.draft.id} was linked to"
        self._findings.add(Finding(code="record-replaced", writer=after.writer, sequence=sequence, what=after.draft.id, text=text))

    def _report_gap(self, writer: bytes, first: int, last: int) -> None:
        code: Code = "record-removed"
        if writer not in self._chains:
            code = "chain-missing"
        elif last == self._ends.get(writer) and last >= self._chains[writer].next:
            code = "chain-cut-off"
        text = f"records {first} to {last} of writer {short(writer)} are not there"
        self._findings.add(Finding(code=code, writer=writer, sequence=first, last=last, text=text))


def _home(record: Record, places: Iterable[Place]) -> Place | None:
    """The place at which the record would be whole."""
    return next((place for place in places if fits(record, *place)), None)


def _close(ranges: list[Range], place: int) -> bool:
    """Take a place out of the ranges. False when it is in none of them."""
    for index, (first, last) in enumerate(ranges):
        if first <= place <= last:
            ranges[index : index + 1] = [part for part in ((first, place - 1), (place + 1, last)) if part[0] <= part[1]]
            return True
    return False
