"""From a request for scopes to lines that a person reads and ticks, and from ticks to what is granted. Pure.

A line is one verb of one scope. What is granted is made of the scopes that were asked for, letter by letter, so that no form, however
it was tampered with, makes more of them.
"""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from fhir_profiles.catalogue import MEASURES
from hub.account.scope_words import CATEGORIES, CONTEXTS, EVERYTHING, KINDS, LETTERS_OF, OF_CODE, ONLY, PARAMETERS, VERBS, WHOSE, Verb
from hub.console.words import Language, Said, in_language
from security.oauth.person import Role
from security.oauth.scope_request import ScopeRequest
from security.scopes import Level, Scope, Scopes

OPTIONAL_WORDS: Final = frozenset({"offline_access"})
"""Words that a person may refuse and grant the rest; without the others the app cannot begin."""
LEVELS: Final[tuple[Level, ...]] = ("patient", "user", "system")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """field      name of its box in the form
    what       the data, in words
    only       how a query narrows it, in words; several of them all hold
    technical  the type's own name where the words stand for several types; "" otherwise
    everything it reaches every kind of data
    optional   it can be unticked
    """

    field: str
    what: str
    only: tuple[str, ...] = ()
    technical: str = ""
    everything: bool = False
    optional: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Lines with one verb."""

    verb: Verb
    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """All that is asked about the same people."""

    level: Level
    title: str
    groups: tuple[Group, ...]


def sections(asked: ScopeRequest, role: Role, language: Language) -> tuple[Section, ...]:
    """What is asked for, by whom it is about and what would be done."""
    return tuple(
        Section(level=level, title=in_language(language, WHOSE[level][role]), groups=groups)
        for level in LEVELS
        if (groups := tuple(_groups(asked, level, language)))
    )


def words(asked: ScopeRequest, language: Language) -> tuple[Line, ...]:
    """What is asked for besides data."""
    return tuple(
        Line(field=word, what=in_language(language, CONTEXTS[word]), optional=word in OPTIONAL_WORDS)
        for word in CONTEXTS
        if word in asked.context
    )


def granted(asked: ScopeRequest, ticked: Container[str]) -> ScopeRequest:
    """Of what was asked for what is ticked, by the fields of its lines; words that cannot be refused stay."""
    kept = [
        Scope(scope.level, scope.resource_type, letters, scope.query)
        for place, scope in enumerate(asked.resources.items)
        if (letters := frozenset().union(*(scope.letters & LETTERS_OF[verb] for verb in VERBS if _field(verb, place) in ticked)))
    ]
    context = frozenset(word for word in asked.context if word not in OPTIONAL_WORDS or word in ticked)
    return ScopeRequest(Scopes(tuple(kept)), context)


def fields(asked: ScopeRequest) -> frozenset[str]:
    """The fields of all lines that can be ticked."""
    data = (_field(verb, place) for place, scope in enumerate(asked.resources.items) for verb in VERBS if scope.letters & LETTERS_OF[verb])
    return frozenset(data) | (asked.context & OPTIONAL_WORDS)


def _groups(asked: ScopeRequest, level: Level, language: Language) -> Iterator[Group]:
    scopes = [(place, scope) for place, scope in enumerate(asked.resources.items) if scope.level == level]
    for verb, title in VERBS.items():
        lines = tuple(_line(verb, place, scope, language) for place, scope in scopes if scope.letters & LETTERS_OF[verb])
        if lines:
            yield Group(verb=verb, title=in_language(language, title), lines=lines)


def _line(verb: Verb, place: int, scope: Scope, language: Language) -> Line:
    field = _field(verb, place)
    if scope.resource_type == "*":
        only = tuple(_only("*", name, value, language) for name, value in scope.query)
        return Line(field=field, what=in_language(language, EVERYTHING), only=only, everything=True)
    kind, category, rest = KINDS[scope.resource_type], None, []
    for name, value in scope.query:
        known = _category(scope.resource_type, value) if name == "category" and category is None else None
        category = known or category
        if known is None:
            rest.append(_only(scope.resource_type, name, value, language))
    return Line(
        field=field,
        what=in_language(language, category or kind.words),
        only=tuple(rest),
        technical=scope.resource_type if kind.shared and category is None else "",
    )


def _field(verb: Verb, place: int) -> str:
    return f"{verb}.{place}"


def _category(type: str, value: str) -> Said | None:
    """Several, separated by a comma, are any of them (https://hl7.org/fhir/R4/search.html#combining); None if one of them has no words."""
    found = [_coded(type, one) for one in value.split(",")]
    if None in found:
        return None
    known = [one for one in found if one is not None]
    return Said("; ".join(one.en for one in known), " ; ".join(one.fr for one in known))


def _coded(type: str, token: str) -> Said | None:
    """`system|code`, or `code` of whatever system, which then has the words of the system that we know."""
    system, bar, code = token.rpartition("|")
    return next(
        (said for (of, known, name), said in CATEGORIES.items() if of == type and name == code and (not bar or known == system)), None
    )


def _only(type: str, name: str, value: str, language: Language) -> str:
    measure = _measures().get(value) if name == "code" and type in ("Observation", "*") else None
    if measure is not None:
        return in_language(language, OF_CODE).format(value=measure)
    said = PARAMETERS.get(name)
    return in_language(language, ONLY).format(name=in_language(language, said) if said else name, value=value)


@cache
def _measures() -> Mapping[str, str]:
    """What a code of the catalogue is called, `system|code` or `code`; in English, as its system has it."""
    codings = [one for measure in MEASURES.values() for one in measure.codings]
    return {key: one.display for one in codings if one.display for key in (f"{one.system}|{one.code}", one.code)}
