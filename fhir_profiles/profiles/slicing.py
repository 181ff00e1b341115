"""Slices of an element: each item goes to the first slice it meets the discriminators of, and is counted and checked there.

https://hl7.org/fhir/R4/profiling.html#slicing
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from fhir_profiles.profiles.discriminators import Item, Test, extension_test, tests
from fhir_profiles.profiles.finding import Path, ProfileError, understood
from fhir_profiles.profiles.rules import too_many
from fhir_profiles.profiles.run import Check, Run
from fhir_profiles.profiles.tree import Node

BY_TYPE: Final[Mapping[str, Any]] = {"discriminator": [{"type": "type", "path": "$this"}], "rules": "open"}
BY_URL: Final[Mapping[str, Any]] = {"rules": "open"}
EXTENSIONS: Final = frozenset({"extension", "modifierExtension"})


class Taken(NamedTuple):
    """One item of an element: where it stands, and what stands beside a primitive (its extensions)."""

    item: Item
    place: int | None
    sibling: Any


class Checks(NamedTuple):
    """What one value has to meet; `beside`: what a primitive's id and extensions have to, which stand beside its value."""

    value: tuple[Check, ...] = ()
    beside: tuple[Check, ...] = ()

    def judge(self, taken: Taken, path: Path, run: Run) -> None:
        for check in self.value:
            check(taken.item.value, path, run)
        for check in self.beside:
            check(taken.sibling or {}, path, run)


Slices = Callable[[list[Taken], Path, Run], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Slice:
    name: str
    minimum: int
    maximum: int | None
    tests: tuple[Test, ...]
    checks: Callable[[str], Checks]
    inner: Slices | None

    def takes(self, item: Item, path: Path, run: Run) -> bool:
        for test in self.tests:  # noqa: SIM110 -- on every write; a generator costs as much again
            if not test.holds(item, path, run):
                return False
        return True

    @property
    def text(self) -> str:
        return " and ".join(test.text for test in self.tests)


def slicer(node: Node, label: str, checks: Callable[[Node, str], Checks]) -> Slices | None:
    """Raises ProfileError where the slices cannot be told apart."""
    if not node.slices:
        return None
    slicing = node.said.get("slicing") or _implied(label)
    slices = tuple(_slice(name, slice, slicing, label, checks) for name, slice in node.slices.items())
    plain = label.removesuffix("[x]")
    rules: str = slicing.get("rules", "open")
    ordered = bool(slicing.get("ordered"))

    def sort(taken: list[Taken], path: Path, run: Run) -> None:
        found: list[int | None] = []
        for one in taken:
            where = (path, plain, one.place)
            number = _first(slices, one.item, where, run)
            found.append(number)
            if number is not None:
                slices[number].checks(one.item.type).judge(one, where, run)
            elif rules == "closed":
                run.add("error", "structure", where, f"{label} has to be one of the profile's: {_alternatives(slices)}")
        _count(slices, found, label, path, run)
        for number, slice in enumerate(slices):
            if slice.inner is not None:
                slice.inner([one for one, place in zip(taken, found, strict=True) if place == number], path, run)
        if ordered or rules == "openAtEnd":
            _order(found, label, path, run, ordered=ordered, at_end=rules == "openAtEnd")

    return sort


def _first(slices: tuple[_Slice, ...], item: Item, path: Path, run: Run) -> int | None:
    if run.budget is not None:
        run.budget.spend(len(slices))
    for number, one in enumerate(slices):
        if one.takes(item, path, run):
            return number
    return None


def _implied(label: str) -> Mapping[str, Any]:
    if label in EXTENSIONS:
        return BY_URL
    if label.endswith("[x]"):
        return BY_TYPE
    raise ProfileError(f"{label} has slices, but no way to tell them apart")


def _slice(name: str, node: Node, slicing: Mapping[str, Any], label: str, checks: Callable[[Node, str], Checks]) -> _Slice:
    by_url = label in EXTENSIONS and [one["path"] for one in slicing.get("discriminator", ())] in ([], ["url"])
    found = [extension_test(node, name)] if by_url else tests(slicing, node, name)
    return _Slice(
        name=name,
        minimum=node.minimum,
        maximum=node.maximum,
        tests=tuple(found),
        checks=_kept(partial(checks, node)),
        inner=slicer(node, label, checks),
    )


def _kept(checks: Callable[[str], Checks]) -> Callable[[str], Checks]:
    """Compiled for each type when first met."""
    kept: dict[str, Checks] = {}

    def of_type(code: str) -> Checks:
        if code not in kept:
            with understood():
                kept[code] = checks(code)
        return kept[code]

    return of_type


def _alternatives(slices: tuple[_Slice, ...]) -> str:
    return "; ".join(one.text for one in slices)


def _count(slices: tuple[_Slice, ...], found: list[int | None], label: str, path: Path, run: Run) -> None:
    below = f".{label.removesuffix('[x]')}"
    for number, one in enumerate(slices):
        count = found.count(number)
        if count < one.minimum:
            run.add("error", "required", path, f"{label} with {one.text} is missing (slice {one.name})", below)
        elif one.maximum is not None and count > one.maximum:
            run.add("error", "structure", path, f"{too_many(f'{label} with {one.text}', one.maximum)} (slice {one.name})", below)


def _order(found: list[int | None], label: str, path: Path, run: Run, *, ordered: bool, at_end: bool) -> None:
    """Slices in the order of the profile; with openAtEnd, what is in none of them comes last."""
    numbers = [number for number in found if number is not None]
    below = f".{label.removesuffix('[x]')}"
    if ordered and numbers != sorted(numbers):
        run.add("error", "structure", path, f"{label} has to stand in the order of the profile", below)
    if at_end and None in found and any(number is not None for number in found[found.index(None) :]):
        run.add("error", "structure", path, f"{label} that the profile does not name have to come last", below)
