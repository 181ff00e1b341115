"""Search type date: nine prefixes over half-open ranges.

https://hl7.org/fhir/R4/search.html#date and #prefix. Of the searched value [S, E) and the resource's [d, e):

    eq  S <= d and e <= E      gt  e > E      ge  gt or eq      sa  d >= E
    ne  not eq                 lt  d < S      le  lt or eq      eb  e <= S
    ap  they overlap once the searched range is widened on both sides by a tenth of its distance from now
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hub.search.birthdate import equal_texts, range_texts
from hub.search.elements import of_parameter, reader
from hub.search.grammar import unescape
from hub.search.predicate import AllOf, AnyOf, Between, Predicate
from hub.search.row import Parameter
from hub.search.times import Range, date_range, element_range
from hub.search.value import NONE, UNDECIDED, BadValue, Narrowing, Opened, Resource, Test, Tokens, Written

APPROXIMATELY = 10
"""ap: one part in ten of the distance from now, as the specification recommends."""


@dataclass(frozen=True, slots=True)
class DateValue:
    """`text` is kept for birth dates, whose tokens know years, months and days."""

    prefix: str
    range: Range
    text: str

    def narrow(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        match parameter.where:
            case "de":
                return Narrowing(EFFECTIVE[self.prefix](self._widened(tokens.now_us)), exact=True)
            case "lu":
                return Narrowing(UPDATED[self.prefix](self._widened(tokens.now_us)), exact=True)
            case "birthdate":
                return self._narrow_birthdate(parameter, tokens)
            case _:
                return UNDECIDED

    def matches(self, parameter: Parameter, resource: Resource, opened: Opened) -> bool:
        return self.test(parameter, opened)(resource)

    def test(self, parameter: Parameter, opened: Opened) -> Test:
        searched, compare = self._widened(opened.now_us), COMPARE[self.prefix]
        read, is_instant = reader(parameter), parameter.where == "lu"

        def holds(resource: Resource) -> bool:
            for element in read(resource):
                found = readable(element)
                if found is not None and compare(_moment(found) if is_instant else found, searched):
                    return True
            return False

        return holds

    def _widened(self, now_us: int) -> Range:
        if self.prefix != "ap":
            return self.range
        margin = abs(now_us - self.range.start_us) // APPROXIMATELY
        return Range(self.range.start_us - margin, self.range.end_us + margin)

    def _narrow_birthdate(self, parameter: Parameter, tokens: Tokens) -> Narrowing:
        if self.prefix == "eq":
            texts = equal_texts(self.text)
            return Narrowing(tokens.any_of(parameter, texts), exact=True) if texts else NONE
        texts = range_texts(self.prefix, self._widened(tokens.now_us))
        return Narrowing(tokens.any_of(parameter, texts), exact=False)


def modifiers(parameter: Parameter) -> frozenset[str]:  # noqa: ARG001 (one way to ask all types)
    return frozenset()


def parse(written: Written, parameter: Parameter) -> DateValue:  # noqa: ARG001
    text = unescape(written.text)
    prefix = "eq"
    if text[:2] in COMPARE:
        prefix, text = text[:2], text[2:]
    try:
        return DateValue(prefix, date_range(text), text)
    except ValueError:
        raise BadValue(
            "must be a date (YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm[:ss[.sss]] with Z or an offset, its + written "
            f"as %2B), after at most one of the prefixes {' '.join(COMPARE)}"
        ) from None


def ranges(parameter: Parameter, resource: Resource) -> Iterator[Range]:
    """The ranges of the parameter's elements. lastUpdated is an instant, a moment rather than a range."""
    for element in of_parameter(parameter, resource):
        found = readable(element)
        if found is not None:
            yield _moment(found) if parameter.where == "lu" else found


def _moment(found: Range) -> Range:
    return Range(found.start_us, found.start_us + 1)


def readable(element: Any) -> Range | None:
    """None also for what the check of a resource lets pass and is no date all the same."""
    try:
        return element_range(element)
    except ValueError:
        return None


Comparison = Callable[[Range, Range], bool]
COMPARE: Mapping[str, Comparison] = {
    "eq": lambda found, searched: searched.start_us <= found.start_us and found.end_us <= searched.end_us,
    "ne": lambda found, searched: not COMPARE["eq"](found, searched),
    "gt": lambda found, searched: found.end_us > searched.end_us,
    "lt": lambda found, searched: found.start_us < searched.start_us,
    "ge": lambda found, searched: COMPARE["gt"](found, searched) or COMPARE["eq"](found, searched),
    "le": lambda found, searched: COMPARE["lt"](found, searched) or COMPARE["eq"](found, searched),
    "sa": lambda found, searched: found.start_us >= searched.end_us,
    "eb": lambda found, searched: found.end_us <= searched.start_us,
    "ap": lambda found, searched: found.start_us < searched.end_us and found.end_us > searched.start_us,
}

Compiled = Callable[[Range], Predicate]


def _both(first: Predicate, second: Predicate) -> Predicate:
    return AllOf((first, second))


def _either(first: Predicate, second: Predicate) -> Predicate:
    return AnyOf((first, second))


# As COMPARE, but over a row's d and e, which bear `d < e`. Bounds that follow from the others are written out (eq: also
# d < E; ge: also e > S; le: also d < E; eb: also d < S), because a database walks one index range and not an OR.
EFFECTIVE: Mapping[str, Compiled] = {
    "eq": lambda s: _both(Between("d", s.start_us, s.end_us), Between("e", high=s.end_us + 1)),
    "ne": lambda s: _either(Between("d", high=s.start_us), Between("e", low=s.end_us + 1)),
    "gt": lambda s: Between("e", low=s.end_us + 1),
    "lt": lambda s: Between("d", high=s.start_us),
    "ge": lambda s: _both(Between("e", low=s.start_us + 1), _either(Between("e", low=s.end_us + 1), Between("d", low=s.start_us))),
    "le": lambda s: _both(Between("d", high=s.end_us), _either(Between("d", high=s.start_us), Between("e", high=s.end_us + 1))),
    "sa": lambda s: Between("d", low=s.end_us),
    "eb": lambda s: _both(Between("d", high=s.start_us), Between("e", high=s.start_us + 1)),
    "ap": lambda s: _both(Between("d", high=s.end_us), Between("e", low=s.start_us + 1)),
}
UPDATED: Mapping[str, Compiled] = {
    "eq": lambda s: Between("lu", s.start_us, s.end_us),
    "ne": lambda s: _either(Between("lu", high=s.start_us), Between("lu", low=s.end_us)),
    "gt": lambda s: Between("lu", low=s.end_us),
    "lt": lambda s: Between("lu", high=s.start_us),
    "ge": lambda s: Between("lu", low=s.start_us),
    "le": lambda s: Between("lu", high=s.end_us),
    "sa": lambda s: Between("lu", low=s.end_us),
    "eb": lambda s: Between("lu", high=s.start_us),
    "ap": lambda s: Between("lu", s.start_us, s.end_us),
}
