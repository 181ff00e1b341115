"""The fault table of times: what becomes of each fault of a clock, for each of the four kinds of time (DEVICES 0.3, 6.4).

Data, read by tests/spec/ingest/test_time_table.py and tests/e2e/test_time_table.py, and written out as docs/times.md:

    .venv/bin/python -m tests.support.times > docs/times.md
"""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from adapters.reading import TimeKind
from tests.support.payloads import SYSTEM_ID, frame

PARIS, NEW_YORK = "Europe/Paris", "America/New_York"
AS_SENT = "as sent"
KINDS: Mapping[TimeKind, str] = {
    "utc": "an instant in UTC",
    "offset": "local time with its offset",
    "local": "wall clock without zone",
    "ticks": "a counter",
}
ADAPTER: Mapping[TimeKind, str] = {"utc": "open-mhealth", "offset": "open-mhealth", "local": "open-mhealth", "ticks": "gatt"}
"""Which adapter reads the cells of a kind in the tests; all others have the same table in the conformance kit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One reading as the device writes its time, and what becomes of it.

    text     of the time; start and end of what lasts with a `/` between them; `now+599` is so many seconds from now; a counter's number
    becomes  the effective time in FHIR, AS_SENT, or the code of what it waits for (quarantine: visible, replayable)
    zone     what the sender states beside the payload (`?timeZone=`)
    """

    text: str
    becomes: str
    zone: str | None = None

    @property
    def is_stored(self) -> bool:
        return self.becomes == AS_SENT or self.becomes[:1].isdigit()


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A fault, why it ends as it does, and its cells. A kind that is not among them cannot have the fault, and `but` says why."""

    fault: str
    why: str
    cells: Mapping[TimeKind, tuple[Sent, ...]]
    but: Mapping[TimeKind, str]


UNSEEN = "an instant comes once, whatever clocks on walls do"
COUNTER = "a counter has no calendar"
NO_ZONE = "needs none"


def row(fault: str, why: str, *, but: Mapping[TimeKind, str] | None = None, **cells: tuple[Sent, ...]) -> Row:
    given: dict[TimeKind, tuple[Sent, ...]] = {kind: cells[kind] for kind in KINDS if kind in cells}
    missing: dict[TimeKind, str] = {kind: COUNTER if kind == "ticks" else UNSEEN for kind in KINDS if kind not in given}
    return Row(fault=fault, why=why, cells=given, but={**missing, **(but or {})})


def same(*texts: str, becomes: str) -> dict[str, tuple[Sent, ...]]:
    """The same dates and times in every kind that has a calendar, with the same answer."""
    return {
        "utc": tuple(Sent(text=f"{text}Z", becomes=becomes) for text in texts),
        "offset": tuple(Sent(text=f"{text}+01:00", becomes=becomes) for text in texts),
        "local": tuple(Sent(text=text, becomes=becomes, zone=PARIS) for text in texts),
    }


ROWS: tuple[Row, ...] = (
    row(
        "repeated hour: 02:30 in Paris on 26 October 2025, which came twice",
        "An offset says which of the two; nobody may pick one for a wall clock (DESIGN 7).",
        utc=(Sent(text="2025-10-26T00:30:00Z", becomes=AS_SENT), Sent(text="2025-10-26T01:30:00Z", becomes=AS_SENT)),
        offset=(Sent(text="2025-10-26T02:30:00+02:00", becomes=AS_SENT), Sent(text="2025-10-26T02:30:00+01:00", becomes=AS_SENT)),
        local=(
            Sent(text="2025-10-26T02:30:00", becomes="time-ambiguous", zone=PARIS),
            Sent(text="2025-10-26T03:00:00", becomes="2025-10-26T03:00:00+01:00", zone=PARIS),
        ),
    ),
    row(
        "skipped hour: 02:30 in Paris on 30 March 2025, which never came",
        "A wall clock that shows it has another zone, or was not set forward. With an offset it denotes an instant all the same.",
        offset=(Sent(text="2025-03-30T02:30:00+01:00", becomes=AS_SENT),),
        local=(Sent(text="2025-03-30T02:30:00", becomes="time-nonexistent", zone=PARIS),),
    ),
    row(
        "clocks that change at midnight: Cairo on 25 April 2025, Havana on 2 November 2025",
        "00:30 never came in Cairo and came twice in Havana; a date's own midnight is a time like any other.",
        offset=(Sent(text="2025-11-02T00:30:00-04:00", becomes=AS_SENT), Sent(text="2025-11-02T00:30:00-05:00", becomes=AS_SENT)),
        local=(
            Sent(text="2025-04-25T00:00:00", becomes="time-nonexistent", zone="Africa/Cairo"),
            Sent(text="2025-04-25T01:00:00", becomes="2025-04-25T01:00:00+03:00", zone="Africa/Cairo"),
            Sent(text="2025-11-02T00:30:00", becomes="time-ambiguous", zone="America/Havana"),
        ),
    ),
    row(
        "clocks that change by half an hour: Lord Howe on 6 April 2025",
        "The repeated time is as long as the zone says, not an hour.",
        local=(
            Sent(text="2025-04-06T01:45:00", becomes="time-ambiguous", zone="Australia/Lord_Howe"),
            Sent(text="2025-04-06T01:15:00", becomes="2025-04-06T01:15:00+11:00", zone="Australia/Lord_Howe"),
        ),
        but={"offset": "as with the repeated hour"},
    ),
    row(
        "skipped day: Samoa had no 30 December 2011",
        "A whole day may be missing from a zone's calendar.",
        local=(Sent(text="2011-12-30T12:00:00", becomes="time-nonexistent", zone="Pacific/Apia"),),
        but={"offset": "as with the skipped hour"},
    ),
    row(
        "missing zone",
        "No zone is ever invented: not the server's, not the patient's, not that of the reading before.",
        utc=(Sent(text="2025-07-01T08:00:00Z", becomes=AS_SENT),),
        offset=(Sent(text="2025-07-01T08:00:00+02:00", becomes=AS_SENT),),
        local=(Sent(text="2025-07-01T08:00:00", becomes="time-zone-missing"),),
        ticks=(Sent(text="5", becomes="time-without-calendar"),),
    ),
    row(
        "a zone is stated that the time does not need",
        "What the device says counts; what is stated beside it is for wall clocks only.",
        utc=(Sent(text="2025-07-01T08:00:00Z", becomes=AS_SENT, zone=NEW_YORK),),
        offset=(Sent(text="2025-07-01T08:00:00+02:00", becomes=AS_SENT, zone=NEW_YORK),),
        ticks=(Sent(text="6", becomes="time-without-calendar", zone=NEW_YORK),),
        but={"local": "always needs one"},
    ),
    row(
        "unknown zone: Mars/Olympus, europe/paris, +02:00, CET+1",
        "A zone is a region of the IANA database, letter by letter; an offset alone knows no summer time.",
        local=tuple(
            Sent(text=f"2025-07-01T08:0{minute}:00", becomes="time-zone-unknown", zone=zone)
            for minute, zone in enumerate(("Mars/Olympus", "europe/paris", "+02:00", "CET+1"))
        ),
        but={"utc": NO_ZONE, "offset": NO_ZONE},
    ),
    row(
        "inverted sign: Etc/GMT+5, UTC+11",
        "POSIX means hours behind, people mean hours ahead: whoever states such a zone may mean either.",
        local=(
            Sent(text="2025-07-01T09:00:00", becomes="time-zone-unknown", zone="Etc/GMT+5"),
            Sent(text="2025-07-01T09:01:00", becomes="time-zone-unknown", zone="UTC+11"),
        ),
        but={"utc": NO_ZONE, "offset": "a sign before digits means ahead (ISO 8601)"},
    ),
    row(
        "year 0",
        "There is no such year in the calendar of dates (ISO 8601 has one, clocks do not).",
        **same("0000-01-01T00:00:00", becomes="time-not-readable"),
    ),
    row("year 1", "A clock that was never set.", **same("0001-01-01T00:00:00", becomes="time-not-readable")),
    row("1899", "No device measured then.", **same("1899-12-31T10:00:00", becomes="time-not-readable")),
    row(
        "1970",
        "Where clocks begin that nobody has set: the whole year waits, in UTC and on the wall, because such a clock goes on counting.",
        utc=(Sent(text="1970-01-01T00:00:00Z", becomes="time-not-set"), Sent(text="1970-03-05T10:00:00Z", becomes="time-not-set")),
        offset=(Sent(text="1969-12-31T19:00:00-05:00", becomes="time-not-set"),),
        local=(Sent(text="1970-01-01T01:00:00", becomes="time-not-set", zone=PARIS),),
    ),
    row(
        "two-digit years: 24-05-06, 06/05/24",
        "24 may be a day or a year. Formats that define what two digits mean (EDF: 85 to 99 are 1985 to 1999) are read as they define it.",
        **same("24-05-06T07:08:09", "06/05/24 07:08", becomes="time-not-readable"),
    ),
    row(
        "the future: tomorrow",
        "Ten minutes ahead a clock may run; more waits, and can be replayed when the time has come. The instant is judged.",
        utc=(Sent(text="now+86400", becomes="time-in-future"),),
        offset=(Sent(text="now+86400", becomes="time-in-future"),),
        local=(Sent(text="now+86400", becomes="time-in-future", zone="UTC"),),
    ),
    row(
        "2150",
        "A year that the reading's own form allows and no hub of today has seen.",
        **same("2150-01-01T00:00:00", becomes="time-out-of-range"),
    ),
    row(
        "drift: ten minutes ahead",
        "Stored as the device said, up to the tolerance: correcting it is for whoever knows by how much (the watch of the hub says it). "
        "Where the unit has said what its clock shows, and that is off by more than its product allows, the reading bears `clock-off`.",
        utc=(Sent(text="now+580", becomes=AS_SENT), Sent(text="now+660", becomes="time-in-future")),
        offset=(Sent(text="now+580", becomes=AS_SENT), Sent(text="now+660", becomes="time-in-future")),
        local=(Sent(text="now+580", becomes=AS_SENT, zone="UTC"), Sent(text="now+660", becomes="time-in-future", zone="UTC")),
    ),
    row(
        "drift: ten minutes behind",
        "Nothing distinguishes it from a reading that was sent ten minutes late; `clock-off` says it where the unit has said its clock.",
        utc=(Sent(text="now-600", becomes=AS_SENT),),
        offset=(Sent(text="now-600", becomes=AS_SENT),),
        local=(Sent(text="now-600", becomes=AS_SENT, zone="UTC"),),
    ),
    row(
        "travel: the same wall clock in two zones",
        "With offsets these are two readings. Without, the device's text is the same: one reading under two zones, which waits.",
        utc=(Sent(text="2025-06-01T06:00:00Z", becomes=AS_SENT), Sent(text="2025-06-01T12:00:00Z", becomes=AS_SENT)),
        offset=(Sent(text="2025-06-01T08:00:00+02:00", becomes=AS_SENT), Sent(text="2025-06-01T08:00:00-04:00", becomes=AS_SENT)),
        local=(
            Sent(text="2025-06-01T08:00:00", becomes="2025-06-01T08:00:00+02:00", zone=PARIS),
            Sent(text="2025-06-01T08:00:00", becomes="time-conflict", zone=NEW_YORK),
        ),
    ),
    row(
        "travel: a night flight that ends before it began, by the clocks",
        "What lasts is compared as instants. Two wall clocks of two zones cannot be: one zone is stated for both.",
        offset=(Sent(text="2025-06-02T23:00:00+09:00/2025-06-02T20:00:00-07:00", becomes=AS_SENT),),
        local=(Sent(text="2025-06-02T23:00:00/2025-06-02T20:00:00", becomes="period-reversed", zone=PARIS),),
    ),
    row(
        "a day of 23 hours, one of 25, one of 30",
        "A day is as long as its zone and its wearer make it; its ends are instants and nothing is averaged over 24 hours.",
        utc=(Sent(text="2025-10-25T22:00:00Z/2025-10-26T23:00:00Z", becomes=AS_SENT),),
        offset=(Sent(text="2025-06-03T00:00:00+02:00/2025-06-04T00:00:00-04:00", becomes=AS_SENT),),
        local=(
            Sent(text="2025-03-30T00:00:00/2025-03-31T00:00:00", becomes="2025-03-30T00:00:00+01:00/2025-03-31T00:00:00+02:00", zone=PARIS),
            Sent(text="2025-10-26T00:00:00/2025-10-27T00:00:00", becomes="2025-10-26T00:00:00+02:00/2025-10-27T00:00:00+01:00", zone=PARIS),
        ),
    ),
    row(
        "leap day: 29 February 2024",
        "A day like any other, in the zone's own offset.",
        utc=(Sent(text="2024-02-29T23:59:59Z", becomes=AS_SENT),),
        offset=(Sent(text="2024-02-29T23:59:59+01:00", becomes=AS_SENT),),
        local=(Sent(text="2024-02-29T23:59:59", becomes="2024-02-29T23:59:59+01:00", zone=PARIS),),
    ),
    row(
        "29 February 2023, 31 April, 13th month",
        "No day of the calendar; it never becomes another one.",
        **same("2023-02-29T10:00:00", "2025-04-31T10:00:00", "2025-13-01T10:00:00", becomes="time-not-readable"),
    ),
    row(
        "leap second: 23:59:60",
        "FHIR could write it; what computes with times cannot tell it from the second after, so it waits instead of being moved.",
        **same("2016-12-31T23:59:60", becomes="time-not-readable"),
    ),
    row(
        "24:00",
        "FHIR forbids it (datatypes.html#dateTime); whether it ends a day or begins it differs by device.",
        **same("2025-07-01T24:00:00", becomes="time-not-readable"),
    ),
    row(
        "far offsets: +14:00, -12:00, +05:45, +14:30, +24:00, -00:00",
        "+14:00 is the furthest there is. -00:00 says that the instant is known and the wearer's offset is not (RFC 3339, 4.3).",
        offset=(
            Sent(text="2025-07-02T08:00:00+14:00", becomes=AS_SENT),
            Sent(text="2025-07-02T08:00:00-12:00", becomes=AS_SENT),
            Sent(text="2025-07-02T08:00:00+05:45", becomes=AS_SENT),
            Sent(text="2025-07-02T08:00:00+14:30", becomes="offset-impossible"),
            Sent(text="2025-07-02T08:00:00+24:00", becomes="time-not-readable"),
        ),
        utc=(Sent(text="2025-07-02T08:01:00-00:00", becomes="2025-07-02T08:01:00Z"),),
        but={"local": "has none"},
    ),
    row(
        "an offset that FHIR cannot write: Paris in 1905, 9 min 21 s ahead",
        "The instant is kept and written in UTC.",
        local=(Sent(text="1905-01-01T12:00:00", becomes="1905-01-01T11:50:39Z", zone=PARIS),),
        but={"utc": NO_ZONE, "offset": "devices write minutes"},
    ),
    row(
        "counter that wraps or begins anew",
        "Waits whatever it shows, as the octets that came: the same number after a restart is another entry if anything differs.",
        ticks=tuple(Sent(text=text, becomes="time-without-calendar") for text in ("65534", "65535", "0", "1")),
        but=dict.fromkeys(("utc", "offset", "local"), "has a calendar"),
    ),
)


def payload(kind: TimeKind, text: str, *, unit: str = SYSTEM_ID) -> bytes:
    """What the representative of the kind sends for a time; `unit`: which of those that say who they are."""
    if kind == "ticks":
        octets = bytes((6, 0, 100, 0)) + int(text).to_bytes(
            2, "little"
        )  # Bluetooth CGM Measurement: minutes since a start that nobody said
        return json.dumps([frame("2AA7", octets.hex(), received_at=None, system_id=unit)]).encode()
    start, _, end = text.partition("/")
    if end:
        body = {"step_count": 61, "effective_time_frame": {"time_interval": {"start_date_time": start, "end_date_time": end}}}
    else:
        body = {"heart_rate": {"value": 61, "unit": "beats/min"}, "effective_time_frame": {"date_time": start}}
    return json.dumps({"header": {"schema_id": {"namespace": "omh", "name": "x", "version": "1.0"}}, "body": body}).encode()


def written(kind: TimeKind, sent: Sent, now: datetime) -> tuple[str, str]:
    """The text and what becomes of it, with `now` in its place."""
    text = sent.text
    if text.startswith("now"):
        moment = (now + timedelta(seconds=int(text[3:]))).replace(microsecond=0)
        zone = timezone(timedelta(hours=2)) if kind == "offset" else UTC
        text = moment.astimezone(zone).isoformat().removesuffix("+00:00") + ("Z" if kind == "utc" else "")
        return text, f"{text}+00:00" if sent.becomes == AS_SENT and kind == "local" else text if sent.becomes == AS_SENT else sent.becomes
    return text, text if sent.becomes == AS_SENT else sent.becomes


HEAD = """# Times that go wrong, and what becomes of them

Generated from the table that the tests run (`tests/support/times.py`): each cell goes through an adapter and the code that
settles times (`tests/spec/ingest/test_time_table.py`), and through a hub by HTTP (`tests/e2e/test_time_table.py`).

An adapter says which of four kinds of time it has and keeps the device's own text; the hub turns it into FHIR's `effective[x]` or
lets the reading wait, with a code. What waits is visible to its sender, holds nothing back beside it, and goes on its way when it is
replayed after the cause was mended. *Zone* is what the sender states (`?timeZone=`). `now+580` is so many seconds from now.

"""
COLUMNS = "| kind | zone | the device writes | becomes |\n| --- | --- | --- | --- |\n"


def page() -> Iterator[str]:
    """Docs/times.md, line by line."""
    yield HEAD
    for one in ROWS:
        yield f"## {one.fault[0].upper()}{one.fault[1:]}\n\n{one.why}\n\n{COLUMNS}"
        for kind, name in KINDS.items():
            for sent in one.cells.get(kind, ()):
                becomes = f"stored {sent.becomes}" if sent.is_stored else f"waits: `{sent.becomes}`"
                yield f"| {name} | {sent.zone or ''} | `{sent.text}` | {becomes} |\n"
            if kind not in one.cells:
                yield f"| {name} | | | cannot happen: {one.but[kind]} |\n"
        yield "\n"


if __name__ == "__main__":
    sys.stdout.write("".join(page()).rstrip("\n") + "\n")
