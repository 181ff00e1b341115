"""What each search type's values can do: narrow over tokens, and decide on the opened resource.

The two are written separately on purpose, so that one checks the other (tests/spec/search/test_narrowing.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hub.search.predicate import EVERYTHING, NOTHING, HasGlobal, HasToken, Predicate
from hub.search.row import Parameter

Token = Callable[[str, str], bytes]
"""(space, value) -> keyed token"""
PatientToken = Callable[[str], bytes]
"""(patient id without "Patient/") -> keyed token"""
Resource = Mapping[str, Any]
"""A resource as a JSON parser reads it: dict, list, str, numbers, bool."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """`exact`: the predicate holds for exactly the rows that match; else also for rows that do not."""

    predicate: Predicate
    exact: bool


UNDECIDED = Narrowing(EVERYTHING, exact=False)
NONE = Narrowing(NOTHING, exact=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What narrowing needs from outside: the keyed token functions, the type searched, and when (us since 1970)."""

    token: Token
    patient_token: PatientToken
    type: str
    now_us: int

    def any_of(self, parameter: Parameter, texts: frozenset[str], spaces: tuple[str, ...] | None = None) -> Predicate:
        """The row carries one of the texts' tokens in one of the parameter's spaces."""
        named = parameter.spaces if spaces is None else spaces
        if not named:
            raise ValueError("this parameter has no tokens")
        tokens = frozenset(self.token(space, text) for space in named for text in texts)
        return HasToken(tokens) if parameter.where in ("k", "p") else HasGlobal(tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What the re-check needs from outside: our base with a trailing slash (or ""), and when the search is (us)."""

    base: str
    now_us: int


class Value(Protocol):
    """One value of a criterion, parsed, with its modifier's meaning inside."""

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing: ...

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool: ...


Test = Callable[[Resource], bool]
"""Does an opened resource match?"""


def test_of(value: Value, parameter: Parameter, opened: Opened) -> Test:
    """`value.matches` for many resources. A value that has a `test` works out once what is the same for all of them."""
    prepare: Callable[[Parameter, Opened], Test] | None = getattr(value, "test", None)
    if prepare is not None:
        return prepare(parameter, opened)
    return lambda resource: value.matches(parameter, resource, opened)


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A value as sent: still escaped, with the modifier of its parameter (None without) and our base."""

    text: str
    modifier: str | None
    base: str


class SearchTypeModule(Protocol):
    """What a module of `hub.search.types` offers. `parse` raises BadValue, or BadName where the modifier does not go with the value."""

    def modifiers(self, parameter: Parameter) -> frozenset[str]: ...

    def parse(self, written: Written, parameter: Parameter) -> Value: ...


class BadValue(ValueError):
    """The text says what the value must look like; it never repeats it."""
