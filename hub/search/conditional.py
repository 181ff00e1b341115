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
from hub.search.result import PASSED_OVER

PAIRS_MAX = 32
UNORDERED = frozenset({"values", "criteria"})


def criteria(type: str, query: str, *, base: str, where: str, creates: bool = False) -> Search:
    """The search behind `If-None-Exist`, or behind the query of a conditional URL. `where` names it in errors.

    creates  a resource may be created where nothing matches: then the resource alone must tell whether it matches

    Refused: nothing to go by (it would match everything), parameters that shape an answer, and those the hub does not know.
    """
    try:
        pairs = parse_qsl(_query(query, type, base), keep_blank_values=True, errors="strict", max_num_fields=PAIRS_MAX)
    except ValueError:
        raise FhirError("invalid", f"{where} is no query in valid UTF-8 of at most {PAIRS_MAX} parameters.") from None
    asked = [pair for pair in pairs if pair[0] not in PASSED_OVER]
    search = parse_search(type, asked, lenient=False, base=base)
    if not search.criteria:
        raise FhirError("invalid", f"{where} must give at least one search parameter with a value, or it would match everything.")
    if len(search.criteria) != len(asked):
        raise FhirError("invalid", f"{where} takes search parameters with values only, none that shapes an answer.")
    if creates and not all(isinstance(one, Criterion) for one in search.criteria):
        raise FhirError("not-supported", f"{where} takes no chained parameter and no _has: other resources may change meanwhile.")
    return search


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
