"""What tests ask of adapters whose payload is a JSON list: what an item says, and that order and portions of the list do not matter."""

from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import strategies as st

from adapters.kit.rules import place_free
from adapters.reading import Absent, Coded, Quantity


def said(item: Any) -> tuple[str, str]:
    """Measure and value, as a person would write them."""
    match item.value:
        case Quantity(value=value, unit=unit):
            return item.measure, f"{value} {unit}"
        case Coded(code=code):
            return item.measure, code
        case Absent(reason=reason):
            return item.measure, reason
    raise AssertionError


def assert_the_same_in_any_portions(parse: Callable[..., list[Any]], records: Sequence[Any], data: st.DataObject) -> None:
    """`parse` takes records one by one; some of them come twice, in any order, in two portions."""
    whole = {str(place_free(item)) for item in parse(*records)}
    shuffled = data.draw(st.permutations([*records, *records[:3]]))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert {str(place_free(item)) for item in (*parse(*shuffled[:cut]), *parse(*shuffled[cut:]))} == whole
