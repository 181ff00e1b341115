"""The last n Observations of each code, found group by group. https://hl7.org/fhir/R4/observation-operation-lastn.html

No walk over the whole history: the newest Observation names a code, its group's newest n are asked for by that code, then
the newest of all other codes, and so on. What R4 leaves open: Observations
are of one group if they share a coding, or if one that is shown shares codings with both; a code without any coding is a group by its text.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from hub.errors import FhirError
from hub.search.grammar import escape
from hub.search.parse import VALUES_MAX, Pair

TOO_MANY = "There are too many kinds of Observations here; narrow $lastn by category or code."


class Opened(Protocol):
    """A match, opened."""

    @property
    def content(self) -> Mapping[str, Any]: ...


Match = TypeVar("Match", bound=Opened)
Find = Callable[[Sequence[Pair], int], Awaitable[Sequence[Match]]]
"""(further criteria, how many at most) -> the newest that match, newest first."""


async def last_by_code(find: Find[Match], most: int) -> list[list[Match]] | None:
    """Groups, that with the newest Observation first. None if codes without codings have to be told apart by text.

    Raises FhirError too-costly for more kinds than one question can name.
    """
    groups: list[tuple[set[str], list[Match]]] = []
    while True:
        known = sorted(set[str]().union(*(codes for codes, _ in groups)))
        newest = await find([("code:not", ",".join(known))] if known else [], 1)
        if not newest:
            return [found for _, found in groups]
        codes = codings(newest[0].content)
        if not codes:
            return None
        _put(groups, *await _group(find, codes, groups, most))
        if sum(len(codes) for codes, _ in groups) > VALUES_MAX:
            raise FhirError("too-costly", TOO_MANY)


async def _group(
    find: Find[Match], codes: set[str], groups: Sequence[tuple[set[str], list[Match]]], most: int
) -> tuple[set[str], list[Match]]:
    """The newest of the group; a translation that one of them carries widens it, if need be by a whole group found before."""
    while True:
        found = list(await find([("code", ",".join(sorted(codes)))], most))
        wider = codes.union(*(codings(one.content) for one in found))
        wider = wider.union(*(others for others, _ in groups if not others.isdisjoint(wider)))
        if wider == codes:
            return codes, found
        if len(wider) > VALUES_MAX:
            raise FhirError("too-costly", TOO_MANY)
        codes = wider


def _put(groups: list[tuple[set[str], list[Match]]], codes: set[str], found: list[Match]) -> None:
    """In the place of the first group that it takes up, or last."""
    taken = [place for place, (others, _) in enumerate(groups) if not others.isdisjoint(codes)]
    for place in reversed(taken[1:]):
        del groups[place]
    groups[taken[0] if taken else len(groups) : (taken[0] + 1) if taken else len(groups)] = [(codes, found)]


def grouped(matches: Sequence[Match], most: int) -> list[list[Match]]:
    """The same from all matches, newest first: for codes that only their text tells apart."""
    groups: list[tuple[set[str], list[Match]]] = []
    for match in matches:
        names = codings(match.content) or {text_of(match.content)}
        alike = next((group for group in groups if not group[0].isdisjoint(names)), None)
        if alike is None:
            groups.append((names, [match]))
        elif len(alike[1]) < most:
            alike[0].update(names)
            alike[1].append(match)
    return [found for _, found in groups]


def codings(content: Mapping[str, Any]) -> set[str]:
    """The codings of Observation.code as search values."""
    found = content.get("code", {}).get("coding", ())
    return {f"{escape(one.get('system', ''))}|{escape(one['code'])}" for one in found if one.get("code")}


def text_of(content: Mapping[str, Any]) -> str:
    """Distinct from every search value of a coding."""
    return f"text {content.get('code', {}).get('text', '')}"
