"""The criteria of conditional interactions: what may stand in them, and one text for all that ask the same.

https://hl7.org/fhir/R4/http.html#cond-update, #ccreate, #2.36.0.13: "the search parameters that the resource must meet".
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any
from urllib.parse import parse_qsl

from hub.errors import FhirError
from hub.search.parameters import Parameter
from hub.search.parse import Criterion, Search, parse_search
from hub.search.parse import place as place_of
from hub.search.result import PASSED_OVER, RESULT_PARAMETERS

PAIRS_MAX = 32
NAMES_OF_HEADER = frozenset({"If-None-Exist", "ifNoneExist"})
HEADER = "http.If-None-Exist"
UNORDERED = frozenset({"values", "criteria"})


def criteria(type: str, query: str, *, base: str, where: str, creates: bool = False) -> Search:
    """The search behind `If-None-Exist`, or behind the query of a conditional URL. `where` names it in errors.

    creates  a resource may be created where nothing matches: then the resource alone must tell whether it matches

    Refused: nothing to go by (it would match everything), parameters that shape an answer, and those the hub does not know.
    """
    place = HEADER if where in NAMES_OF_HEADER else None
    try:
        pairs = parse_qsl(_query(query, type, base), keep_blank_values=True, errors="strict", max_num_fields=PAIRS_MAX)
    except ValueError:
        raise FhirError("invalid", f"{where} is no query in valid UTF-8 of at most {PAIRS_MAX} parameters.", expression=place) from None
    asked = [pair for pair in pairs if pair[0] not in PASSED_OVER]
    search = parse_search(type, asked, lenient=False, base=base)
    if not search.criteria:
        text = f"{where} must give at least one search parameter with a value, or it would match everything."
        raise FhirError("invalid", text, expression=place)
    if len(search.criteria) != len(asked):
        text = f"{where} takes search parameters with values only, none that shapes an answer."
        raise FhirError(
            "invalid", text, expression=place or _first(name for name, value in asked if not value or name in RESULT_PARAMETERS)
        )
    if creates and not all(isinstance(one, Criterion) for one in search.criteria):
        text = f"{where} takes no chained parameter and no _has: other resources may change meanwhile."
        hops = (name for (name, _), one in zip(search.used, search.criteria, strict=True) if not isinstance(one, Criterion))
        raise FhirError("not-supported", text, expression=place or _first(hops))
    return search


def _first(names: Iterable[str]) -> str | None:
    return next(map(place_of, names), None)


def _query(text: str, type: str, base: str) -> str:
    """The query alone; some clients send the whole address, or what follows the base."""
    for before in (f"{base.rstrip('/')}/{type}?", f"{type}?", "?"):
        if text.startswith(before):
            return text.removeprefix(before)
    return text


def canonical(search: Search) -> str:
    """The same text for criteria that ask the same: whatever their order, escapes, repetitions, default prefixes."""
    return f"{search.type}?{_criteria(search)}"


def _criteria(search: Search) -> str:
    return _set(search.criteria)


def _set(values: Iterable[Any]) -> str:
    return "{" + "&".join(sorted({_text(one) for one in values})) + "}"


def _text(value: Any) -> str:
    if isinstance(value, Parameter):
        return value.code
    if isinstance(value, Search):
        return canonical(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _record(value)
    if isinstance(value, Mapping):
        return _set(value.items())
    if isinstance(value, set | frozenset):
        return _set(value)
    if isinstance(value, tuple | list):
        return "[" + ",".join(map(_text, value)) + "]"
    return repr(value)


def _record(value: Any) -> str:
    """Sets are written in order, for their own order is another in each process."""
    names = [one.name for one in fields(value)]
    # A date is the range that it stands for, however it was written.
    told = [name for name in names if not (name == "text" and "range" in names)]
    parts = (f"{name}={_set(getattr(value, name)) if name in UNORDERED else _text(getattr(value, name))}" for name in told)
    return f"{type(value).__name__}({';'.join(parts)})"
