"""Expressions and payloads that want to run away: DEVICES 6.3, limits on time, depth and size, and no code."""

import json
from contextlib import suppress
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.declarative import MappingError, load
from adapters.declarative.expressions import EXPRESSION_CHARS_MAX, compiled
from adapters.declarative.failure import Unusable
from adapters.declarative.jmes_path import STEPS_MAX
from adapters.reading import Rejected
from adapters.refusal import ItemRefused
from tests.support.mappings import PULSE, adapter, decode, mapping, only

WIDE = {f"k{index}": {f"k{inner}": {"v": index} for inner in range(100)} for index in range(300)}


@pytest.mark.parametrize(
    "text",
    [
        "$..*..*..*",
        "$['a','a']['a','a']['a','a']",
        "$[*,*][*,*][*,*]",
        "$[?match(@.a, '(a+)+$')]",
        "$[?search(@.a, '(a+)+$')]",
        "$[?@[?@[?@.a]]]",
        "$[?$..a]",
        "$[?@..a]",
        "$[?@.a == $.b]",
        "$.a | $.b",
        "$.__class__()",
        "$[?@.a =~ /(a+)+$/]",
        "$" + "[?(" * 150,
        "$.a" * EXPRESSION_CHARS_MAX,
        "(" * 450,
        "!" * 450 + "a",
        "a[" + "0" * 400,
        "evil(@)",
        "a.b[",
    ],
)
def test_an_expression_that_could_run_away_is_not_loaded_or_not_answered(text: str) -> None:
    with pytest.raises((Unusable, ItemRefused)):
        compiled(text, ()).value({"a": 1})


@pytest.mark.parametrize(
    "text",
    [
        "[@,@][]|" * 60 + "[@]",
        "join('',[@.s,@.s])|" + "join('',[@,@])|" * 28 + "@",
        "[@,@]|" * 80 + "to_string(@)",
        "sort_by(values(@), &to_string(@))|[0]",
        "*.*.* | [] | [] | [] | length(@)",
        "map(&map(&map(&@, @), @), [[[@]]])",
    ],
)
def test_what_an_expression_makes_is_bounded_whatever_it_multiplies(text: str) -> None:
    """A short chain of doublings would make 2^60 elements."""
    with suppress(Unusable, ItemRefused):
        compiled(text[:EXPRESSION_CHARS_MAX].rstrip("|"), ()).value({"s": "x" * 1000, **WIDE})


def test_the_bound_lets_a_minute_of_samples_through() -> None:
    samples = [{"v": index} for index in range(60_000)]
    assert len(compiled("samples[*].v", ()).value({"samples": samples})) == 60_000 < STEPS_MAX


@pytest.mark.parametrize("text", ["$[?@.v > 1]", "$.*.*[?@ == 7]", "$..v", "$[?length(@.v) > 3]", "$[?count(@.*) > 999]"])
def test_the_work_of_a_query_grows_with_what_it_is_asked_of(text: str) -> None:
    with suppress(ItemRefused):
        compiled(text, ()).value(WIDE)


def test_an_expression_about_the_message_is_answered_once_and_not_for_each_record() -> None:
    """Otherwise a message of n records costs n squared."""
    units = [{"sn": f"S{index}", "main": index == 99} for index in range(100)]
    records = [{"hr": 60, "at": "2026-01-05T10:00:00Z"} for _ in range(2000)]
    made = adapter(PULSE, device="$document.units[?@.main == true].sn")
    items = list(made.decode(json.dumps({"units": units, "items": records}).encode()))
    assert {item.device for item in items} == {"S99"}


def test_what_lies_around_the_records_is_not_kept_with_each_of_them_without_bound() -> None:
    """A thousand records in a message whose head has a megabyte would make a gigabyte."""
    made = adapter(PULSE, device="$document.head")
    records = [{"hr": 60, "at": "2026-01-05T10:00:00Z"}] * 1000
    items = list(made.decode(json.dumps({"head": "x" * 1_000_000, "items": records}).encode()))
    assert {item.code for item in items if isinstance(item, Rejected)} == {"surroundings-too-long"}
    assert sum(len(item.raw) for item in items) < 10_000


@pytest.mark.parametrize(
    "payload",
    [
        b"[" * 100_000,
        b'{"items":' * 50_000,
        b'{"items":[{"hr":1e999999999999999999999}]}',
        b'{"items":[{"hr":' + b"9" * 10_000 + b"}]}",
        b'{"items":[{"hr":1E-99999}]}',
        b'{"items":[{"hr":"' + b"9" * 100_000 + b'"}]}',
        b'{"items":[{"hr":60,"at":"' + b"2" * 100_000 + b'"}]}',
        b'{"items":["\\ud800"]}',
        b"\x00" * 1000,
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_a_hostile_message_is_refused_or_costs_its_record(payload: bytes) -> None:
    try:
        items = decode(adapter(PULSE), payload)
    except Unreadable:
        return
    assert all(not hasattr(item, "value") for item in items)


@pytest.mark.parametrize(
    "payload",
    [
        '<!DOCTYPE a [<!ENTITY b "x">]><a><items>&b;</items></a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>" * 5000 + "</a>" * 5000,
        "<a",
        "<a>&b;</a>",
        '<?xml version="1.0" encoding="none"?><a/>',
    ],
)
def test_xml_with_entities_or_endless_nesting_is_refused(payload: str) -> None:
    """https://owasp.org/www-community/vulnerabilities/XML_External_Entity_(XXE)_Processing"""
    made = adapter(PULSE, input={"format": "xml"}, foreach="$.a.items[*]")
    with pytest.raises(Unreadable) as refusal:
        list(made.decode(payload.encode()))
    assert refusal.value.code in {"entities-refused", "too-deep", "not-xml", "encoding"}


def test_an_expression_that_fails_costs_its_record() -> None:
    made = adapter({"measure": "heart-rate", "value": {"from": "abs(hr)", "unit": "/min"}})
    assert only(made, {"hr": "x"}).code == "expression-failed"
    assert only(made, {"hr": -60}).value.value == "60"


def test_a_query_with_several_answers_is_not_chosen_between() -> None:
    made = adapter({"measure": "heart-rate", "value": {"from": "$.hr[*]", "unit": "/min"}})
    assert only(made, {"hr": [60, 61]}).code == "ambiguous-value"
    assert only(made, {"hr": [60]}).value.value == "60"


@pytest.mark.parametrize("rules", [[], [{}], [{"name": "x", "readings": [PULSE] * 1000}]])
def test_a_mapping_has_limits_too(rules: Any) -> None:
    with pytest.raises(MappingError):
        load(json.dumps({**mapping(PULSE), "rules": rules}))
