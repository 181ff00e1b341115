"""Every fault of a clock for every kind of time, through an adapter and the code that settles times.

DEVICES 0.3, 6.4; DESIGN 7; docs/times.md.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from adapters.discovery import adapters
from adapters.reading import Reading, TimeKind
from hub.ingest.doubt import Doubt
from hub.ingest.normalise import normalise, reading_key
from tests.architecture.tree import ROOT
from tests.support.times import ADAPTER, KINDS, ROWS, Row, Sent, page, payload, written

NOW = datetime(2026, 11, 29, 14, 0, 30, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CONFLICT = "time-conflict"
CELLS = [(row, kind) for row in ROWS for kind in row.cells]


def settled(kind: TimeKind, sent: Sent) -> tuple[str, str | None]:
    """What becomes of it, and the key of the reading if it is one."""
    text, _ = written(kind, sent, NOW)
    (item,) = adapters()[ADAPTER[kind]].decode(payload(kind, text))
    if not isinstance(item, Reading):
        assert item.keep, "what has a bad time is kept"
        return item.code, None
    assert item.time is not None
    assert item.time.kind == kind
    answer = normalise(
        item, time_zone=sent.zone, patient="Patient/p", device="Device/d", received_us=(NOW - EPOCH) // timedelta(microseconds=1)
    )
    if isinstance(answer, Doubt):
        return answer.code, reading_key(item, "d")
    return answer.effective if answer.until is None else f"{answer.effective}/{answer.until}", reading_key(item, "d")


@pytest.mark.parametrize(("row", "kind"), CELLS, ids=[f"{row.fault.split(':')[0]}-{kind}" for row, kind in CELLS])
def test_each_cell_of_the_table_ends_as_it_says(row: Row, kind: TimeKind) -> None:
    """The conflict of two zones shows in the key alone here: the same reading, at another instant."""
    keys: dict[str, Any] = {}
    for sent in row.cells[kind]:
        became, key = settled(kind, sent)
        expected = written(kind, sent, NOW)[1]
        if expected == CONFLICT:
            assert keys.get(key or "") not in (None, became)
        else:
            assert became == expected
        keys[key or ""] = became


def test_every_kind_of_time_has_a_cell_or_a_reason_in_every_row() -> None:
    assert all({*row.cells, *row.but} >= set(KINDS) for row in ROWS)
    assert len(ROWS) >= 25


def test_the_page_is_the_table() -> None:
    """Written anew by `.venv/bin/python -m tests.support.times > docs/times.md`."""
    assert (ROOT / "docs/times.md").read_text() == "".join(page()).rstrip("\n") + "\n"
