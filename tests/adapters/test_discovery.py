"""Adapters are found by entry point, so that a vendor's package plugs in without a change here."""

from importlib.metadata import EntryPoint

import pytest

from adapters.discovery import GROUP, BrokenAdapter, UnknownAdapter, adapter, adapters, collect


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name=name, value=value, group=GROUP)


def test_the_three_first_products_are_installed() -> None:
    assert {"gatt", "libreview", "withings"} <= set(adapters())


def test_an_adapter_is_given_by_its_name() -> None:
    assert adapter("withings").manifest.name == "withings"


def test_an_unknown_name_is_answered_with_the_names_there_are() -> None:
    with pytest.raises(UnknownAdapter, match=r"installed: .*\bgatt\b.*\blibreview\b.*\bwithings\b"):
        adapter("whithings")


def test_the_answer_does_not_repeat_the_unknown_name() -> None:
    """It comes from a URL and ends in logs."""
    with pytest.raises(UnknownAdapter) as refusal:
        adapter("ada.lovelace")
    assert "lovelace" not in str(refusal.value)


def test_a_name_that_two_packages_claim_is_refused() -> None:
    twice = [point("withings", "adapters.withings:adapter"), point("withings", "adapters.gatt:adapter")]
    with pytest.raises(BrokenAdapter, match="two adapters are called 'withings'"):
        collect(twice)


@pytest.mark.parametrize("value", ["adapters.nowhere:adapter", "adapters.withings:nothing", "adapters.limits:ITEMS_MAX"])
def test_an_adapter_that_does_not_load_is_named(value: str) -> None:
    with pytest.raises(BrokenAdapter, match=r"'broken'.*does not load"):
        collect([point("broken", value)])


def test_an_adapter_must_bear_the_name_it_is_installed_under() -> None:
    """The name is part of stored data; two names for one adapter would be two mappings."""
    with pytest.raises(BrokenAdapter, match="calls itself 'gatt'"):
        collect([point("bluetooth", "adapters.gatt:adapter")])


def test_the_mapping_is_sorted_and_cannot_be_written() -> None:
    found = collect([point("withings", "adapters.withings:adapter"), point("gatt", "adapters.gatt:adapter")])
    assert list(found) == ["gatt", "withings"]
    with pytest.raises(TypeError):
        found["x"] = found["gatt"]  # type: ignore[index]


def test_installed_adapters_are_looked_up_once() -> None:
    assert adapters() is adapters()
