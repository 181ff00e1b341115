"""What a search asks, as values: criteria, chains, reverse chains, includes.

https://hl7.org/fhir/R4/search.html. `hub.search.parse` makes them; execution replaces chains by plain criteria
(`hub.search.resolve`) before tokens narrow and opened resources decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.search.result import COUNT_DEFAULT, Sort, Summary, Total
from hub.search.row import Parameter
from hub.search.value import Value

Pair = tuple[str, str]
NEGATIONS = frozenset({"not", "not-in"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One parameter with its values: some value matches or, with a modifier that negates, none does."""

    parameter: Parameter
    modifier: str | None
    values: tuple[Value, ...]

    @property
    def negated(self) -> bool:
        return self.modifier in NEGATIONS


@dataclass(frozen=True, slots=True, kw_only=True)
class Either:
    """Some criterion holds: a compartment is reached by several parameters."""

    criteria: tuple[Criterion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """`parameter` refers to a resource that its type's inner search finds. https://hl7.org/fhir/R4/search.html#chaining

    targets  one search for each type that the reference may lead to and that has the rest of the chain
    """

    parameter: Parameter
    targets: Mapping[str, "Search"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Has:
    """A resource of `type` that `inner` finds refers to us by `parameter`. https://hl7.org/fhir/R4/search.html#has"""

    type: str
    parameter: Parameter
    inner: "Search"


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """What comes along with the matches. https://hl7.org/fhir/R4/search.html#include

    source     type whose references are followed
    parameter  code of the reference parameter; None is every one of them
    target     only resources of this type; None is any
    iterate    follow it from what was included too
    reverse    `_revinclude`: resources of `source` that refer to a match
    """

    source: str
    parameter: str | None
    target: str | None
    iterate: bool
    reverse: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as understood. All criteria hold together.

    type      the resource type; "" for a search of the whole system, whose searches by type are `each`
    elements  names of elements that are asked for; () is all of them
    count     as asked, at most COUNT_MAX; None when not given (`page_size`)
    page      the opaque text of a page link; then nothing else is set
    ignored   names of parameters left out of account: unknown ones under lenient handling, and empty ones
    used      the pairs that took effect, values as sent: the self link
    """

    type: str
    criteria: "tuple[Criterion | Either | Chain | Has, ...]" = ()
    includes: tuple[Include, ...] = ()
    sort: Sort = ()
    count: int | None = None
    total: Total | None = None
    summary: Summary | None = None
    elements: tuple[str, ...] = ()
    page: str | None = None
    ignored: tuple[str, ...] = ()
    used: tuple[Pair, ...] = ()
    each: "tuple[Search, ...]" = ()

    @property
    def page_size(self) -> int:
        return COUNT_DEFAULT if self.count is None else self.count

    @property
    def count_only(self) -> bool:
        """R4: `_count=0` is treated as `_summary=count`: the total, no entries, no links to pages."""
        return self.count == 0 or self.summary == "count"
