"""Whose rows a predicate may hold for: patients it names, and rows that can be looked up whatever the number of patients."""

from collections.abc import Sequence
from typing import NamedTuple

from hub.search.predicate import AllOf, AnyOf, HasGlobal, IdIs, Naming, PatientIs, Predicate


class Reach(NamedTuple):
    """Every row lies in the compartment of one of `patients` or is one of those for which `look_up` holds (None: no others)."""

    patients: frozenset[bytes]
    look_up: Predicate | None


def reach(predicate: Predicate) -> Reach | None:
    """None if it may hold for anybody's rows, however many."""
    match predicate:
        case PatientIs(any_of):
            return Reach(any_of, None)
        case HasGlobal() | IdIs() | Naming():
            return Reach(frozenset(), predicate)
        case AllOf(parts):
            return _narrowest(predicate, parts)
        case AnyOf(parts):
            return _together([reach(part) for part in parts])
        case _:
            return None


def _narrowest(whole: AllOf, parts: tuple[Predicate, ...]) -> Reach | None:
    """Any part may tell; one that names its patients tells without looking anything up."""
    said = [(part, found) for part in parts if (found := reach(part)) is not None]
    named = [found.patients for _, found in said if found.look_up is None]
    if named:
        return Reach(frozenset.intersection(*named), None)
    if not said:
        return None
    part, found = said[0]
    rest = tuple(other for other in whole.parts if other is not part)
    return Reach(found.patients, None if found.look_up is None else AllOf((found.look_up, *rest)))


def _together(found: Sequence[Reach | None]) -> Reach | None:
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    ways = tuple(one.look_up for one in known if one.look_up is not None)
    return Reach(frozenset().union(*(one.patients for one in known)), AnyOf(ways) if ways else None)
