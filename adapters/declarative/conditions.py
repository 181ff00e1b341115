"""Which records a rule takes: comparisons with words, nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from adapters.declarative.expressions import MISSING, Expression
from adapters.declarative.record import Record, scalar

Test = Literal["is", "not", "exists"]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """`words`: what the value is compared with, as text; `numbers` those of them that are numbers."""

    source: Expression
    test: Test
    words: frozenset[str] = frozenset()
    numbers: frozenset[Decimal] = frozenset()
    wanted: bool = True


def hold(conditions: Iterable[Condition], record: Record) -> bool:
    """Do all of them hold? Raises ItemRefused if one cannot be answered."""
    return all(_holds(condition, record) for condition in conditions)


def _holds(condition: Condition, record: Record) -> bool:
    value = record.value(condition.source)
    if condition.test == "exists":
        return (value is not MISSING and value is not None) == condition.wanted
    return _is_one(condition, value) == (condition.test == "is")


def _is_one(condition: Condition, value: object) -> bool:
    if value is MISSING:
        return False
    text = "null" if value is None else scalar(value)
    if text in condition.words:
        return True
    return isinstance(value, Decimal) and value in condition.numbers
