"""What the rules of the kit do where a format is not a table: zones beside a time, segments, recordings, names, simulators."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from adapters.contract import NO_CONTEXT, Context
from adapters.kit.examine import examine
from adapters.kit.rule import Fixture, Result, Subject
from adapters.kit.rulebook import RULES
from adapters.kit.scene import Scene, Sort
from adapters.kit.writing import of_catalogue, strip
from adapters.reading import Coded, DeviceTime, Item, Reading, Rejected, Samples
from fhir_profiles.canonical import MDC
from hub.cli.kit.bench import HubBench
from tests.adapters.kit_adapter import HEAD, PAYLOAD, Good


def result(adapter: Any, rule: str, payload: bytes = PAYLOAD, **beside: Any) -> Result:
    subject = Subject(adapter=adapter, fixtures=[Fixture(name="f.csv", payload=payload, **beside)], bench=HubBench())
    (found,) = examine(subject, rules=[one for one in RULES if one.id == rule])
    return found


class Beside(Good):
    """A wall clock, and beside it what the device says of its zone."""

    said, offset = "60", timedelta(minutes=60)

    def time(self, text: str) -> DeviceTime:
        wall = datetime.fromisoformat(text[:19])
        return DeviceTime(kind="offset", text=f"{text[:19]} {self.said}", instant=wall.replace(tzinfo=timezone(self.offset)))


@pytest.mark.parametrize("said", ["60", "3600", "+1", "-60", "Europe/Paris", "1.0"])
def test_a_zone_that_stands_beside_the_time_is_the_devices_own(said: str) -> None:
    adapter = Beside()
    adapter.said = said
    assert result(adapter, "time-zone-proven").status == "pass"


@pytest.mark.parametrize("said", ["120", "0", "America/New_York", "Europe/Nowhere", "PULSE"])
def test_another_zone_than_the_one_beside_the_time_was_made_up(said: str) -> None:
    adapter = Beside()
    adapter.said = said
    assert result(adapter, "time-zone-proven").status == "fail"


class Documented(Good):
    """The maker says on a page that its times are UTC."""

    manifest = replace(Good.manifest, utc_by="https://vendor.example/times", time_kinds=("utc",))
    shift = timedelta(0)

    def time(self, text: str) -> DeviceTime:
        return DeviceTime(kind="utc", text=text[:19], instant=datetime.fromisoformat(text[:19]).replace(tzinfo=UTC) + self.shift)


def test_a_page_of_the_maker_proves_utc_and_nothing_else() -> None:
    assert result(Documented(), "time-zone-proven").status == "pass"
    shifted = Documented()
    shifted.shift = timedelta(hours=1)
    assert result(shifted, "time-zone-proven").status == "fail"
    silent = Documented()
    silent.manifest = replace(Documented.manifest, utc_by="")  # type: ignore[misc]
    assert result(silent, "time-zone-proven").status == "fail"


MESSAGE = b"MSH|^~\\&|A|B\rOBR|1\rOBX|1|NM|pulse\r"


class Segments(Good):
    """HL7 v2 of a kind: one item an OBX."""

    names: tuple[str, ...] = ("MSH", "OBR", "OBX")

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002
        items: list[Item] = []
        for row, line in enumerate(payload.decode(errors="replace").split("\r"), start=1):
            if line.startswith("OBX"):
                items.append(self.reading(f"r-{row};U-1;2026-01-05T08:30:00+01:00;pulse;62", f"row {row}", b"x"))
            elif line and line[:3] not in self.names:
                items.append(Rejected(code="segment-unreadable", hint="No segment.", pointer=f"row {row}", raw=b"x"))
        return items


class DroppingSegments(Segments):
    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        return [item for item in super().decode(payload, context) if isinstance(item, Reading)]


def test_a_segment_whose_name_nobody_knows_is_missed_if_nothing_is_said_of_it() -> None:
    """A line end belongs to no field: exchanging one word leaves all the other segments what they are."""
    assert result(Segments(), "unknown-reported", MESSAGE * 2).status == "pass"
    assert result(DroppingSegments(), "unknown-reported", MESSAGE * 2).status == "fail"


class Recording(Good):
    """One strip, and the class that the device found: rows of one file that are no records."""

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        first, *_ = (item for item in super().decode(payload, context) if isinstance(item, Reading))
        return [first, replace(first, measure="ecg-lead-i", value=Samples(data="1 2", period_ms="2", unit="uV"), pointer="row 9")]


def test_one_recording_has_no_order_and_no_single_number_to_lose() -> None:
    for rule in ("order-reversed", "order-permuted", "order-repeated", "order-split", "volume"):
        assert result(Recording(), rule).status == "not-applicable", rule


class Naming(Good):
    """Takes the person's name along as the record's id."""

    def source_id(self, id: str, cells: list[str]) -> str:
        return f"{id} {cells[5] if len(cells) > 5 else ''}"


def test_names_that_a_fixture_has_already_are_looked_for() -> None:
    payload = f"{HEAD};owner\nr-1;U-1;2026-01-05T08:30:00+01:00;pulse;62;Lovelace\n".encode()
    (found, *_) = result(Naming(), "privacy-names", payload, names=["Lovelace"]).hints
    assert "Lovelace" not in found
    assert result(Good(), "privacy-names", PAYLOAD, names=["Lovelace"]).hints == (
        "f.csv: NAME.names.json has a name that is not in the payload",
    )


class Writer:
    """Writes the table of kit_adapter."""

    sorts: Sequence[Sort] = (Sort(measure="heart-rate", unit="/min", decimals=0, usual={"": ("52", "104")}),)

    def device(self, number: int) -> str:
        return f"U-{number}"

    def write(self, scenes: Sequence[Scene]) -> bytes:
        rows = [f"r-{one.number};{one.device};{one.at.isoformat()};pulse;{one.values['']}\n" for one in scenes]
        return f"{HEAD}\n{''.join(rows)}".encode()

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        return self.write([replace(scene, values={"": "LO"}) for scene in scenes])


class Simulated(Good):
    """A binary format of which the kit knows nothing but what the simulator writes."""

    simulator = Writer()

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        return [replace(item, pointer="byte 0", raw=b"\x00") for item in super().decode(payload, context)]


class Reversing(Simulated):
    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        items = [item for item in super().decode(payload, context) if isinstance(item, Reading)]
        return [replace(item, source_id=str(number)) for number, item in enumerate(items)]


class Leaping(Simulated):
    """29 February becomes 1 March, and what is before this century is put into it."""

    def time(self, text: str) -> DeviceTime:
        found = super().time(text)
        assert found.instant is not None
        day = found.instant + timedelta(days=1) if (found.instant.month, found.instant.day) == (2, 29) else found.instant
        return replace(found, instant=day.replace(year=max(day.year, 2000)))


class Twice(Simulated):
    """Always takes the first of the two hours."""

    def time(self, text: str) -> DeviceTime:
        return super().time(text.replace("02:30:00+01:00", "02:30:00+02:00"))


PAYLOAD_ONE = "\n".join(PAYLOAD.decode().splitlines()[:2]).encode()
TIMES = {"time-leap-day", "time-extremes", "time-repeated-hour"}


@pytest.mark.parametrize(
    ("adapter", "wrong"),
    [
        (Simulated, set()),
        (Reversing, {"order-reversed", "order-repeated"}),
        (Leaping, {"time-leap-day", "time-extremes"}),
        (Twice, {"time-repeated-hour"}),
    ],
)
def test_what_the_fixtures_cannot_show_the_simulator_does(adapter: type[Good], wrong: set[str]) -> None:
    asked = {"order-reversed", "order-repeated", "time-drift"} | TIMES
    assert {rule for rule in asked if result(adapter(), rule, PAYLOAD_ONE).status == "fail"} == wrong
    assert {rule for rule in asked if result(adapter(), rule, PAYLOAD_ONE).status == "pass"} == asked - wrong


class Bundled(Good):
    """JSON with the unit in one element and the records in the others, as a Bundle has its Device."""

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        entries = json.loads(payload)["entry"]
        unit = next((one["unit"] for one in entries if "unit" in one), None)
        for place, row in [(place, one["row"]) for place, one in enumerate(entries) if "row" in one]:
            for item in super().decode(f"{HEAD}\n{row}".encode(), context):
                yield replace(item, pointer=f"/entry/{place}/row", device=unit)


def test_an_element_that_nothing_was_read_from_goes_with_every_part() -> None:
    rows = [{"row": f"r-{number};U-9;2026-01-05T08:3{number}:00+01:00;pulse;6{number}"} for number in range(4)]
    payload = json.dumps({"entry": [rows[0], {"unit": "U-1"}, *rows[1:]]}).encode()
    for rule in ("order-reversed", "order-permuted", "order-split"):
        assert result(Bundled(), rule, payload).status == "pass", rule


class Strips(Writer):
    """Strips in the table's value cell, and codes, and what the format cannot say."""

    sorts = (strip("ecg-lead-i", "uV", ("-9", "9"), samples=3),)
    more = (of_catalogue("cied-zone-type"),)
    no_value = "E E E"

    def write(self, scenes: Sequence[Scene]) -> bytes:
        assert len(scenes) == 1 or not scenes[0].sort.samples, "a strip is a payload of its own"
        rows = [f"r-{one.number};{one.device};{one.at.isoformat()};{one.sort.measure};{one.values['']}\n" for one in scenes]
        return f"{HEAD}\n{''.join(rows)}".encode()

    def write_absent(self, scenes: Sequence[Scene]) -> bytes:
        return self.write([replace(scene, values={"": self.no_value}) for scene in scenes])


class Striped(Good):
    """Reads what Strips writes; `lost` samples are not read."""

    simulator: Any = Strips()
    lost = 0

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002
        for number, line in enumerate(payload.decode(errors="replace").splitlines()[1:], start=2):
            id, device, time, measure, text = line.split(";")[:5]
            value: Any = Samples(data=" ".join(text.split()[self.lost :]), period_ms="2", unit="uV")
            if measure.startswith("cied"):
                value = Coded(system=MDC, code=text, display="")
            when = datetime.fromisoformat(time)
            read = DeviceTime(kind="offset", text=time, instant=when)
            yield Reading(
                measure=measure, device=device, time=read, value=value, source_id=id, pointer=f"row {number}", raw=line.encode() or b"-"
            )


def test_strips_and_codes_that_a_simulator_writes_come_back_sample_by_sample() -> None:
    assert result(Striped(), "simulator-true").status == "pass"
    losing = Striped()
    losing.lost = 1
    assert result(losing, "simulator-true").status == "fail"


def test_a_strip_of_samples_that_the_device_lacks_is_no_value_and_one_with_a_number_is() -> None:
    adapter = Striped()
    adapter.simulator = Strips()
    assert result(adapter, "special-absent").status == "pass"
    adapter.simulator.no_value = "0 0 0"
    assert result(adapter, "special-absent").status == "fail"
