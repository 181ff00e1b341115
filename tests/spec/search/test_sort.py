"""The order of results: https://hl7.org/fhir/R4/search.html#sort"""

from itertools import pairwise
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.search.parse import Search
from hub.search.sort import key, opened_sort_key, opened_sort_values, order, row_order, sort_key, sort_values
from hub.search.systems import UCUM
from tests.spec.search.generation import resource
from tests.spec.search.given import row_of, search


def observation(id: str, effective: str | None = None, **more: Any) -> dict[str, Any]:
    dated = {} if effective is None else {"effectiveDateTime": effective}
    return {"resourceType": "Observation", "id": id, "meta": {"lastUpdated": "2026-01-01T00:00:00Z"}, **dated, **more}


def sorted_ids(asked: Search, *given: dict[str, Any]) -> list[str]:
    """By the opened resources and, where rows tell the order, by rows as well: both must agree."""
    opened = [one["id"] for one in sorted(given, key=lambda one: opened_sort_key(asked, one))]
    if row_order(asked) is not None:
        assert [row.id for row in sorted(map(row_of, given), key=lambda row: sort_key(asked, row))] == opened
    return opened


OLD, NEW, UNDATED = observation("b", "2025"), observation("a", "2026"), observation("0")


@pytest.mark.parametrize(
    ("sort", "ids"),
    [(None, ["a", "b", "0"]), ("date", ["b", "a", "0"]), ("-date", ["a", "b", "0"]), ("_id", ["0", "a", "b"]), ("-_id", ["b", "a", "0"])],
)
def test_observations_come_newest_first_unless_asked_otherwise_and_undated_ones_last(sort: str | None, ids: list[str]) -> None:
    """docs/search.md: what is missing sorts last, up or down."""
    asked = search("Observation", *([] if sort is None else [("_sort", sort)]))
    assert sorted_ids(asked, OLD, UNDATED, NEW) == ids


def test_other_types_come_by_id() -> None:
    """docs/search.md: an order there must be, or pages have gaps."""
    assert order(search("Patient")) == (("_id", False),)
    assert order(search("AuditEvent")) == (("date", True), ("_id", False))


def test_equal_values_are_parted_by_the_next_key_and_last_by_id() -> None:
    """R4 #sort: subsequent keys; the id makes the order total."""
    asked = search("Observation", ("_sort", "status,-date"))
    given = [observation("c", "2026", status="final"), observation("b", "2026", status="final"), observation("a", "2025", status="amended")]
    assert sorted_ids(asked, *given) == ["a", "b", "c"]
    assert order(asked) == (("status", False), ("date", True), ("_id", False))
    assert order(search("Observation", ("_sort", "-_id,date"))) == (("_id", True),)


@pytest.mark.parametrize(
    ("type", "sort", "fields"),
    [
        ("Observation", None, (("d", True), ("id", False))),
        ("Observation", "_lastUpdated,-date", (("lu", False), ("d", True), ("id", False))),
        ("Observation", "-_id", (("id", True),)),
        ("Observation", "status", None),
        ("Patient", "birthdate", None),
        ("Consent", "period", None),
    ],
)
def test_rows_tell_some_orders(type: str, sort: str | None, fields: tuple[tuple[str, bool], ...] | None) -> None:
    """Effective start, lastUpdated and id are in the row; the rest is sorted after opening."""
    asked = search(type, *([] if sort is None else [("_sort", sort)]))
    assert row_order(asked) == fields
    if fields is None:
        with pytest.raises(ValueError):
            sort_values(asked, row_of({"resourceType": type, "id": "x"}))


def patient(id: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": id, **more}


@pytest.mark.parametrize(
    ("sort", "first", "second"),
    [
        ("family", {"name": [{"family": "Éluard"}]}, {"name": [{"family": "Zola"}]}),
        ("given", {"name": [{"given": ["zoé", "Anne"]}]}, {"name": [{"given": ["Berthe"]}]}),
        ("-given", {"name": [{"given": ["Anne", "zoé"]}]}, {"name": [{"given": ["Berthe"]}]}),
        ("birthdate", {"birthDate": "1980"}, {"birthDate": "1980-02"}),
        ("-birthdate", {"birthDate": "1980-02"}, {"birthDate": "1980"}),
        ("gender", {"gender": "female"}, {"gender": "male"}),
        ("active", {"active": False}, {"active": True}),
        ("identifier", {"identifier": [{"system": "z", "value": "1"}]}, {"identifier": [{"system": "a", "value": "2"}]}),
        ("-identifier", {"identifier": [{"value": "1"}]}, {"identifier": [{"system": "only"}]}),
        ("name", {"name": [{"text": "a"}]}, {}),
        ("-name", {"name": [{"text": "a"}]}, {}),
    ],
)
def test_opened_resources_tell_the_other_orders(sort: str, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Of several values the first in the order counts; strings sort as they are searched."""
    asked = search("Patient", ("_sort", sort))
    assert sorted_ids(asked, patient("a", **second), patient("b", **first)) == ["b", "a"]


def test_codings_sort_by_code() -> None:
    """A display may be in any language."""
    asked = search("Observation", ("_sort", "code"))
    made = [observation(id, code={"coding": [{"system": "s", "code": code, "display": "x"}]}) for id, code in (("a", "2"), ("b", "1"))]
    assert sorted_ids(asked, *made) == ["b", "a"]
    assert opened_sort_values(
        search("AuditEvent", ("_sort", "type")), {"resourceType": "AuditEvent", "id": "a", "type": {"code": "rest"}}
    ) == ("rest", "a")


@pytest.mark.parametrize(
    ("sort", "first", "second"),
    [
        (
            "value-quantity",
            {"valueQuantity": {"value": 5, "system": UCUM, "code": "mg"}},
            {"valueQuantity": {"value": 1, "system": UCUM, "code": "g"}},
        ),
        (
            "-value-quantity",
            {"valueQuantity": {"value": 1, "system": UCUM, "code": "g"}},
            {"valueQuantity": {"value": 5, "system": UCUM, "code": "mg"}},
        ),
        ("value-quantity", {"valueQuantity": {"value": 5}}, {"valueString": "5"}),
        ("_profile", {"meta": {"profile": ["http://a.example"]}}, {"meta": {"profile": ["http://b.example"]}}),
        ("value-date", {"valueDateTime": "2025"}, {"valuePeriod": {"start": "2026"}}),
    ],
)
def test_quantities_sort_in_their_canonical_unit_and_what_has_none_comes_last(
    sort: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    """R4 #sort: by any parameter that orders; 5 mg come before 1 g."""
    asked = search("Observation", ("_sort", sort))
    assert sorted_ids(asked, observation("a") | second, observation("b") | first) == ["b", "a"]


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from(
        ["date", "-date", "_lastUpdated,-date", "-_id", "code,status", "-category", "value-quantity", "-value-string,value-date"]
    ),
)
def test_positions_survive_json_and_order_like_the_resources(random: Random, sort: str) -> None:
    """A page goes on after the position of the last one shown: comparing positions is comparing resources."""
    made = [resource(random, "Observation") for _ in range(random.randint(2, 4))]
    asked = search("Observation", ("_sort", sort))
    ordered = sorted(made, key=lambda one: opened_sort_key(asked, one))
    positions = [orjson.loads(orjson.dumps(opened_sort_values(asked, one))) for one in ordered]
    assert all(not key(asked, later) < key(asked, earlier) for earlier, later in pairwise(positions))
    assert [key(asked, position) for position in positions] == [opened_sort_key(asked, one) for one in ordered]
    sorted_ids(asked, *{one["id"]: one for one in made}.values())
