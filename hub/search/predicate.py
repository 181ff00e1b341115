"""What a search asks of a stored row, without saying how a database is asked.

A stored row shows tokens and times only (docs/adr/0004-stored-form.md). The store translates these values into its
own query language; `holds` evaluates them over a row in memory, so that the two can be compared.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Field = Literal["d", "e", "lu"]
"""`d` and `e`: effective start and end, `lu`: lastUpdated; microseconds since 1970 UTC, ends exclusive."""


@dataclass(frozen=True, slots=True)
class HasToken:
    """The row carries at least one of these tokens in `k`. Empty matches nothing."""

    any_of: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class HasGlobal:
    """The row carries at least one of these tokens in `g`, the tokens that may be looked up across patients."""

    any_of: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class PatientIs:
    """The row belongs to the compartment of one of these patients (token in `p`). Empty matches nothing."""

    any_of: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Naming:
    """The row names one of these patients besides the one in whose compartment it lies (token in `q`). Empty matches nothing."""

    any_of: frozenset[bytes]


@dataclass(frozen=True, slots=True)
class Patientless:
    """The row belongs to no patient's compartment."""


@dataclass(frozen=True, slots=True)
class IdIs:
    """The row's logical id is one of these. Empty matches nothing."""

    any_of: frozenset[str]


@dataclass(frozen=True, slots=True)
class Between:
    """`low <= field < high`; None leaves a side open. A row without the field never matches."""

    field: Field
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds. `AllOf(())` holds for each row: it is only ever combined with a restriction."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Some part holds. `AnyOf(())` matches nothing: silence means no."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Predicate"


Predicate = HasToken | HasGlobal | PatientIs | Naming | Patientless | IdIs | Between | AllOf | AnyOf | Not

EVERYTHING = AllOf(())
NOTHING = AnyOf(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What can be seen of a stored resource without opening it."""

    type: str
    id: str
    p: bytes | None
    k: frozenset[bytes]
    g: frozenset[bytes]
    lu: int
    d: int | None
    e: int | None
    q: frozenset[bytes] = frozenset()


def holds(predicate: Predicate, row: Row) -> bool:
    """Does the predicate hold for this row? The naive twin of the store's own translation."""
    match predicate:
        case HasToken(any_of) | HasGlobal(any_of) | Naming(any_of):
            carried = {HasToken: row.k, HasGlobal: row.g, Naming: row.q}[type(predicate)]
            return not carried.isdisjoint(any_of)
        case PatientIs(any_of):
            return row.p in any_of
        case Patientless():
            return row.p is None
        case IdIs(any_of):
            return row.id in any_of
        case Between(field, low, high):
            return _between(getattr(row, field), low, high)
        case AllOf(parts):
            return all(holds(part, row) for part in parts)
        case AnyOf(parts):
            return any(holds(part, row) for part in parts)
        case Not(part):
            return not holds(part, row)


def all_of(parts: Iterable[Predicate]) -> Predicate:
    """The conjunction, without needless nesting."""
    kept = tuple(part for part in parts if part != EVERYTHING)
    return kept[0] if len(kept) == 1 else AllOf(kept)


def _between(value: int | None, low: int | None, high: int | None) -> bool:
    if value is None:
        return False
    return (low is None or value >= low) and (high is None or value < high)
