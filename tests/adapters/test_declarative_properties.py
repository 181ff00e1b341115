"""Whatever the mapping and whatever the payload: only items or Unreadable, each readable alone; order and splitting tell nothing."""

import json
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.contract import Unreadable
from adapters.declarative import DeclarativeAdapter, MappingError, load
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Item, Reading
from tests.support.mappings import AT, adapter, mapping

KEYS = ["a", "b", "hr", "items", "at", "sn"]
SCALARS = st.sampled_from([0, 1, 60, 61.5, "60", "x", "", None, True, AT, "2026-01-05", 1767607200, -1])
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5), max_leaves=25
)
STEPS = st.sampled_from([".a", ".b", ".hr", ".items", "[*]", "[0]", "[1]", "[?@.hr]", "[?@.a == 1]", "..hr", ".at", "[-1]", "[0:2]"])
JSONPATHS = st.lists(STEPS, min_size=1, max_size=3).map(lambda steps: "$" + "".join(steps))
SCOPED = st.sampled_from(["$document", "$outer", "$"]).flatmap(lambda root: JSONPATHS.map(lambda path: root + path[1:]))
JMES = st.sampled_from(
    ["hr", "a.b", "a[0].hr", "a[*].hr | [0]", "hr || a", "b[?hr > `1`] | [0].hr", "*.hr | [0]", "length(a)", "@", "a[].b", "[a, b]"]
)
EXPRESSIONS = JSONPATHS | SCOPED | JMES | st.just("$.hr")
FOREACH = st.sampled_from(
    [None, "$.items[*]", "$.a[*]", "$.*", "$..[?@.hr]", "$.items[?@.hr]", "$.a[0].items[*]", [{"outer": "$.items[*]"}, {"inner": "$.a[*]"}]]
)


@st.composite
def mappings(draw: st.DrawFn) -> dict[str, Any]:
    value = {"from": draw(EXPRESSIONS), "unit": "/min", "required": draw(st.booleans()), "absent": {"-1": "error"}}
    rule: dict[str, Any] = {"foreach": draw(FOREACH), "device": draw(EXPRESSIONS)}
    if draw(st.booleans()):
        rule["match"] = {draw(EXPRESSIONS): draw(st.sampled_from([1, "x", None, {"exists": True}]))}
    if draw(st.booleans()):
        rule["vocabulary"] = {"ignore": ["at"]}
    reading: dict[str, Any] = {"measure": "heart-rate", "value": value}
    if draw(st.booleans()):
        reading = {
            "measure": "blood-pressure",
            "components": {"systolic": {"from": draw(EXPRESSIONS), "unit": "mm[Hg]"}, "diastolic": {"from": "$.b", "unit": "mm[Hg]"}},
            "correlate": {"by": [draw(EXPRESSIONS)], "require": ["systolic", "diastolic"]},
        }
    made = mapping(reading, defaults={"time": {"from": "$.at", "kind": "offset"}}, **rule)
    return {**made, "input": {"format": draw(st.sampled_from(["json", "ndjson"]))}}


@settings(deadline=None, max_examples=400)
@given(document=mappings(), tree=TREES)
def test_any_mapping_and_any_payload_give_items_or_unreadable_and_each_can_be_read_alone(document: Any, tree: Any) -> None:
    try:
        made = load(json.dumps(document))
    except MappingError:
        return
    try:
        items = list(made.decode(orjson.dumps(tree)))
    except Unreadable:
        return
    for item in items:
        assert faults(item) == ()
        if isinstance(item, Reading) or item.keep:
            assert parses_alone(made.decode, item), (document, item)


@settings(deadline=None)
@given(
    document=st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["rules", "input", "name"]), inner)
    )
)
def test_any_document_is_a_mapping_or_is_told_what_is_wrong(document: Any) -> None:
    with pytest.raises(MappingError) as error:
        load(json.dumps(document))
    assert error.value.faults


PULSES = st.lists(
    st.fixed_dictionaries({"sn": st.sampled_from(["A", "B"]), "hr": SCALARS, "at": st.sampled_from([AT, "x"]), "user": st.just("Ada")}),
    min_size=1,
    max_size=8,
)


def multiset(made: DeclarativeAdapter, records: list[Any]) -> Counter[Item]:
    def frozen(item: Item) -> Any:
        return str(place_free(item))

    return Counter(frozen(item) for item in made.decode(json.dumps({"items": records}).encode()))


@settings(deadline=None)
@given(records=PULSES, cut=st.integers(0, 8), data=st.data())
def test_order_and_splitting_change_nothing(records: list[Any], cut: int, data: st.DataObject) -> None:
    made = adapter()
    whole = multiset(made, records)
    assert multiset(made, data.draw(st.permutations(records))) == whole
    assert multiset(made, records[:cut]) + multiset(made, records[cut:]) == whole


@settings(deadline=None)
@given(number=st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9))
def test_a_number_keeps_its_digits_on_the_way_through(number: Any) -> None:
    made = adapter()
    (item,) = made.decode(f'{{"items":[{{"at":"{AT}","hr":{number}}}]}}'.encode())
    assert isinstance(item, Reading)
    assert item.value is not None
    assert str(item.value.value) == format(number, "f")  # type: ignore[union-attr]
