"""The conformance kit finds what is planted, and only that. DEVICES 6.4: wrong pairs of code and unit, biased IEEE floats, lost
decimals, invented time zones, names that leak, and the rest of its groups."""

import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC
from typing import Any

import orjson
import pytest

from adapters.contract import NO_CONTEXT, Context, Unreadable
from adapters.kit.examine import examine, level
from adapters.kit.rule import LEVELS, Fixture, Result, Subject
from adapters.kit.rulebook import RULES
from adapters.reading import Absent, DeviceTime, Item, Quantity, Reading
from adapters.refusal import ItemRefused
from hub.cli.kit.bench import HubBench
from hub.cli.kit.subject import find
from tests.adapters.kit_adapter import HEAD, PAYLOAD, Good

EXPECTED = [
    {"measure": "heart-rate", "device": "U-1", "time": "2026-01-05T08:30:00+01:00", "value": "62 /min"},
    {"measure": "body-weight", "device": "U-1", "time": "2026-01-05T08:31:00+01:00", "value": "74.10 kg"},
    {"measure": "body-temperature", "device": "U-2", "time": "2026-01-06T23:59:00+01:00", "value": "36.6 Cel"},
]


MIB_64 = 64 * 1024 * 1024
QUICK = [rule for rule in RULES if rule.id != "volume"]
"""All but the one that takes seconds."""


def results(adapter: Any, payload: bytes = PAYLOAD, exemptions: dict[str, str] | None = None, **beside: Any) -> list[Result]:
    subject = Subject(adapter=adapter, fixtures=[Fixture(name="f.csv", payload=payload, **beside)], bench=HubBench())
    return list(examine(subject, exemptions, rules=QUICK))


REASON = {"fhir-golden": "Nobody has looked at it yet."}


def failed(found: Sequence[Result]) -> set[str]:
    return {one.rule.id for one in found if one.status == "fail"}


@pytest.fixture(scope="module")
def good() -> list[Result]:
    return results(Good(), expected=EXPECTED)


def test_a_good_adapter_breaks_no_rule(good: list[Result]) -> None:
    assert [one for one in good if one.status == "fail"] == []


def test_every_rule_is_run_and_says_what_it_asks(good: list[Result]) -> None:
    assert [one.rule for one in good] == QUICK
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(re.fullmatch(r"[a-z0-9-]+", rule.id) and rule.text and rule.level in LEVELS for rule in RULES)


def test_the_groups_are_those_that_were_asked_for() -> None:
    """DEVICES 6.4."""
    wanted = "manifest fixtures golden fhir terminology precision time specials order volume hostile privacy vocabulary"
    assert set(wanted.split()) <= {rule.group for rule in RULES}


class WrongUnit(Good):
    def row(self, what: str, value: str) -> tuple[str, str]:
        measure, unit = super().row(what, value)
        return measure, "mm[Hg]" if measure == "heart-rate" else unit


class UnknownMeasure(Good):
    def row(self, what: str, value: str) -> tuple[str, str]:
        measure, unit = super().row(what, value)
        return ("cardiac-humour" if measure == "heart-rate" else measure), unit


class BiasedFloat(Good):
    """SFLOAT read with a biased exponent, as bluetooth-sig 0.6.0 does: 10^-8 where 10^0 was meant. DEVICES 0.5"""

    def digits(self, text: str) -> str:
        return f"0.{'0' * 7}{text.replace('.', '')}"


class LostDecimals(Good):
    def digits(self, text: str) -> str:
        return f"{float(text):g}"


class InventedZone(Good):
    """The maker writes a wall clock, and somebody thought that it would be UTC."""

    manifest = replace(Good.manifest, time_kinds=("utc",))

    def time(self, text: str) -> DeviceTime:
        found = super().time(text.removesuffix("+01:00") + "+00:00")
        return DeviceTime(kind="utc", text=text.removesuffix("+01:00"), instant=found.instant)


class WrongOffset(Good):
    def time(self, text: str) -> DeviceTime:
        found = super().time(text)
        return replace(found, instant=found.instant and found.instant.astimezone(UTC))


class NameInIdentity(Good):
    """A column that the maker adds for people is taken along as the record's id."""

    def source_id(self, id: str, cells: list[str]) -> str:
        return f"{id} {cells[5]}" if len(cells) > 5 else id


class PreambleInRaw(Good):
    def raw(self, lines: list[str], head: int, line: str) -> bytes:
        return "\n".join([*lines[: head + 1], line, ""]).encode()


class Chatty(Good):
    def text(self, payload: bytes) -> str:
        logging.getLogger("vendor").debug("read %d bytes", len(payload))
        return super().text(payload)


class Repeating(Good):
    def text(self, payload: bytes) -> str:
        text = super().text(payload)
        if HEAD not in text:
            raise Unreadable("no-header", f"Not a report: {text[:60]}")
        return text


class Dropping(Good):
    def items(self, lines: list[str], head: int) -> Iterator[Item]:
        return (item for item in super().items(lines, head) if isinstance(item, Reading))


class Crashing(Good):
    def text(self, payload: bytes) -> str:
        return payload.decode()


class ClampedYear(Good):
    def time(self, text: str) -> DeviceTime:
        found = super().time(text)
        instant = found.instant and found.instant.replace(year=max(2000, min(found.instant.year, 2030)))
        return replace(found, instant=instant)


class WordIsZero(Good):
    def value(self, text: str, unit: str) -> Any:
        found = super().value(text, unit)
        return Quantity(value="37", unit=unit) if isinstance(found, Absent) else found


class PlaceIsIdentity(Good):
    def item(self, lines: list[str], head: int, number: int, line: str) -> Item:
        found = super().item(lines, head, number, line)
        return replace(found, source_id=f"{number - head}") if isinstance(found, Reading) else found


class ValueIsIdentity(Good):
    def source_id(self, id: str, cells: list[str]) -> str:
        return f"{id}-{cells[4]}"


class Undeclared(Good):
    manifest = replace(Good.manifest, measures=("heart-rate", "body-weight"))


class Hidden(Good):
    """Local times, and a manifest that says there are none."""

    manifest = replace(Good.manifest, time_kinds=("local",), needs_time_zone=False)

    def time(self, text: str) -> DeviceTime:
        found = super().time(text)
        return DeviceTime(kind="local", text=text, wall=found.instant and found.instant.replace(tzinfo=None))


class Expanding(Good):
    """Undoes gzip by itself, without a limit."""

    def text(self, payload: bytes) -> str:
        import gzip

        return gzip.decompress(payload).decode() if payload[:2] == b"\x1f\x8b" else super().text(payload)


PLANTED: list[tuple[type[Good], set[str]]] = [
    (WrongUnit, {"terminology-unit"}),
    (UnknownMeasure, {"terminology-measure", "manifest-true", "manifest-measures-shown"}),
    (BiasedFloat, {"terminology-range"}),
    (LostDecimals, {"precision-kept"}),
    (InventedZone, {"time-zone-proven"}),
    (WrongOffset, {"time-zone-proven"}),
    (NameInIdentity, {"privacy-names"}),
    (PreambleInRaw, {"privacy-names"}),
    (Chatty, {"privacy-silent"}),
    (Repeating, {"privacy-refusal"}),
    (Dropping, {"unknown-reported"}),
    (Crashing, {"hostile-utf8", "hostile-odd", "hostile-gzip", "hostile-damaged"}),
    (ClampedYear, {"time-extremes"}),
    (WordIsZero, {"special-absent"}),
    (PlaceIsIdentity, {"order-reversed", "order-permuted", "order-repeated", "order-split", "order-corrected", "item-raw-alone"}),
    (ValueIsIdentity, {"order-corrected"}),
    (Undeclared, {"manifest-true"}),
    (Hidden, {"manifest-measures", "time-zone-needed"}),
    (Expanding, {"hostile-gzip"}),
]


@pytest.mark.parametrize(("adapter", "rules"), PLANTED, ids=lambda one: getattr(one, "__name__", ""))
def test_a_planted_fault_is_found_by_the_rules_that_are_about_it(adapter: type[Good], rules: set[str]) -> None:
    found = results(adapter())
    assert failed(found) == rules, [one for one in found if one.status == "fail"]


class Hungry(Good):
    """Takes memory, and gives it back."""

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:
        return super().decode((b"x" * 2 * MIB_64)[:0] + payload, context)


def test_what_an_adapter_takes_is_seen_whatever_the_process_took_before() -> None:
    """Else a bomb is seen or not by what was examined before it."""
    assert len(b"x" * 4 * MIB_64) > MIB_64
    assert HubBench().decode(Hungry(), PAYLOAD, NO_CONTEXT).grown >= MIB_64
    assert HubBench().decode(Good(), PAYLOAD, NO_CONTEXT).grown < MIB_64


class Numbered(Good):
    """Whose items depend on how often it was asked."""

    asked = 0

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002
        self.asked += 1
        return [replace(item, source_id=str(self.asked)) for item in super().decode(payload) if isinstance(item, Reading)]


class Echo(Good):
    """Puts what it cannot read into the hint."""

    def reading(self, line: str, pointer: str, raw: bytes) -> Reading:
        try:
            return super().reading(line, pointer, raw)
        except ItemRefused as refused:
            raise ItemRefused(refused.code, f"cannot read {line}") from None


def test_state_is_seen() -> None:
    """Law 7."""
    assert "item-same-again" in failed(results(Numbered()))


def test_a_name_in_a_hint_is_seen() -> None:
    """Law 4: hints may be logged and are shown to the sender."""
    payload = PAYLOAD + b"r-4;U-1;2026-01-05T08:30:00+01:00;nonsense;1\n"
    assert failed(results(Echo(), payload)) == {"privacy-names"}


def test_the_worksheet_is_compared_value_by_value() -> None:
    wrong = [{**EXPECTED[0], "value": "63 /min"}, *EXPECTED[1:]]
    assert failed(results(Good(), expected=wrong)) == {"fixture-expected"}
    assert failed(results(Good(), expected=EXPECTED[:2])) == {"fixture-expected"}


def test_the_golden_file_is_compared_with_its_digits() -> None:
    """http://hl7.org/fhir/R4/datatypes.html#decimal: 74.10 is not 74.1."""
    golden = [HubBench().build(one).resource for one in Good().decode(PAYLOAD) if isinstance(one, Reading)]
    assert failed(results(Good(), golden=golden)) == set()
    rounded = orjson.loads(orjson.dumps(golden, default=float))
    assert failed(results(Good(), golden=rounded)) == {"fhir-golden"}


def test_an_exemption_with_a_reason_stands_in_for_a_rule_that_fails_and_only_for_that() -> None:
    found = results(LostDecimals(), exemptions={"precision-kept": "The device rounds.", "fhir-valid": "Nothing to say."})
    status = {one.rule.id: (one.status, one.hints) for one in found}
    assert status["precision-kept"] == ("exempt", ("The device rounds.",))
    assert status["fhir-valid"][0] == "pass"


def test_an_exemption_without_a_reason_is_none() -> None:
    assert failed(results(LostDecimals(), exemptions={"precision-kept": " "})) == {"precision-kept"}


def test_the_levels_ask_for_more_and_more(good: list[Result]) -> None:
    """bronze: no rule of bronze fails; silver: every one is shown or has a reason; gold: nothing is exempt either."""
    assert level(good) == "bronze"  # no golden file
    assert level(results(Good(), expected=EXPECTED, exemptions=REASON)) == "silver"
    assert level([replace(one, status="pass") if one.status != "pass" else one for one in good]) == "gold"
    assert level(results(LostDecimals())) == "bronze"
    exempt = {**REASON, "precision-kept": "The device rounds."}
    assert level(results(LostDecimals(), expected=EXPECTED, exemptions=exempt)) == "bronze"
    assert level(results(LostDecimals(), expected=[], exemptions={**exempt, "fixture-expected": "Rounded."})) == "silver"
    assert level(results(WrongUnit())) is None


def test_volume_is_tried_and_what_does_not_bear_it_fails() -> None:
    """DEVICES 6.4: 100,000 readings."""
    rule = next(rule for rule in RULES if rule.id == "volume")

    class Weak(Good):
        def text(self, payload: bytes) -> str:
            if len(payload) > 1_000_000:
                raise MemoryError
            return super().text(payload)

    subject = Subject(adapter=Weak(), fixtures=[Fixture(name="f.csv", payload=PAYLOAD)], bench=HubBench())
    (found,) = examine(subject, rules=[rule])
    assert found.status == "fail"
    assert "MemoryError" in found.hints[0]


def test_an_adapter_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(Good):
        def text(self, payload: bytes) -> str:  # noqa: ARG002
            while True:
                pass

    monkeypatch.setattr("hub.cli.kit.bench.DECODE_S_MAX", 0.05)
    assert HubBench().decode(Endless(), PAYLOAD, Context()).crash == "TooSlow"


@pytest.mark.parametrize("name", ["withings", "libreview", "gatt"])
def test_the_first_adapters_of_the_hub_break_no_rule_of_bronze(name: str) -> None:
    found = find(name)
    made = list(examine(found.subject(), found.exemptions(), rules=QUICK))
    assert [(one.rule.id, one.hints) for one in made if one.status == "fail" and one.rule.level == "bronze"] == []
    assert level(made) is not None
