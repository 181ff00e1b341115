"""Whose rows a predicate may hold for: patients it names, and rows that can be looked up whatever the number of patients."""

from collections.abc import Sequence
from dataclasses import dataclass

from hub.search.predicate import AllOf, AnyOf, HasGlobal, HasToken, IdIs, Naming, PatientIs, Predicate

Carrying = frozenset[bytes]
"""Tokens in `k`, of which a row carries one."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Every row lies in the compartment of one of `patients`, or is one for which `look_up` holds, or carries a token.

    look_up   rows that are found by what is theirs alone (an id, an identifier, a name); None: no such rows
    carrying  sets of tokens, each of which leads to all rows that are left; (): no such rows
    """

    patients: frozenset[bytes]
    look_up: Predicate | None = None
    carrying: tuple[Carrying, ...] = ()

    @property
    def named(self) -> bool:
        """Does it name all its patients, so that nothing is to be looked up?"""
        return self.look_up is None and not self.carrying


def reach(predicate: Predicate) -> Reach | None:
    """None if it may hold for anybody's rows, and nothing leads to them."""
    match predicate:
        case PatientIs(any_of):
            return Reach(any_of)
        case HasGlobal() | IdIs() | Naming():
            return Reach(frozenset(), look_up=predicate)
        case HasToken(any_of):
            return Reach(frozenset(), carrying=(any_of,))
        case AllOf(parts):
            return _narrowest(predicate, parts)
        case AnyOf(parts):
            return _together([reach(part) for part in parts])
        case _:
            return None


def _narrowest(whole: AllOf, parts: tuple[Predicate, ...]) -> Reach | None:
    """Any part may tell: first one that names its patients, then one whose rows are looked up, then tokens."""
    said = [(part, found) for part in parts if (found := reach(part)) is not None]
    named = [found.patients for _, found in said if found.named]
    if named:
        return Reach(frozenset.intersection(*named))
    for part, found in said:
        if found.look_up is not None and not found.carrying:
            rest = tuple(other for other in whole.parts if other is not part)
            return Reach(found.patients, look_up=AllOf((found.look_up, *rest)))
    mixed = [found for _, found in said if found.patients or found.look_up is not None]
    if mixed:
        return mixed[0]
    return Reach(frozenset(), carrying=tuple(one for _, found in said for one in found.carrying)) if said else None


def _together(found: Sequence[Reach | None]) -> Reach | None:
    known = [one for one in found if one is not None]
    if len(known) < len(found):
        return None
    ways = tuple(one.look_up for one in known if one.look_up is not None)
    tokens = frozenset[bytes]().union(*(one.carrying[0] for one in known if one.carrying))
    return Reach(
        frozenset().union(*(one.patients for one in known)),
        look_up=AnyOf(ways) if ways else None,
        carrying=(tokens,) if tokens else (),
    )
