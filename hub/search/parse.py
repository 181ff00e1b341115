"""From the pairs of a query to a Search value; everything that is refused is refused here.

https://hl7.org/fhir/R4/search.html. What R4 leaves to the server is decided in docs/search.md. Errors name the
parameter and say what to do; they never repeat a value, because values name people.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from hub.errors import FhirError, IssueCode
from hub.search.asked import Chain, Criterion, Either, Has, Include, Pair, Search
from hub.search.grammar import is_sound, split
from hub.search.includes import INCLUDE, INCLUDES_MAX, REVINCLUDE, include
from hub.search.names import Names
from hub.search.parameters import RESOURCE_TYPES, ResourceType, resource_type
from hub.search.result import PASSED_OVER, RESULT_PARAMETERS, Result, with_parameter
from hub.search.understood import BadName, UnknownName
from hub.search.value import BadValue

__all__ = ["Chain", "Criterion", "Either", "Has", "Include", "Pair", "Search", "parse_search", "parse_system_search", "shown"]

CRITERIA_MAX = 32
VALUES_MAX = 250
VALUE_CHARS_MAX = 16_384
TYPES = "_type"
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z:._-]{0,63}|_has:[A-Z][A-Za-z:._-]{0,127}")


def parse_search(type: str, pairs: Sequence[Pair], *, lenient: bool, base: str = "") -> Search:
    """What the percent-decoded pairs of a query ask of `type`.

    lenient  leave unknown parameters out of account (`Prefer: handling=lenient`) instead of refusing them
    base     our own FHIR base; references written with it are ours

    Raises FhirError `not-supported` for what the hub does not know and `invalid` for what it cannot read.
    https://hl7.org/fhir/R4/search.html#errors
    """
    row = resource_type(type)
    if row is None:
        raise FhirError("not-supported", "The hub does not search this resource type.")
    reader = _Reader(row, lenient=lenient, base=base)
    for name, value in pairs:
        reader.read(name, value)
    return reader.search()


def parse_system_search(pairs: Sequence[Pair], *, lenient: bool, base: str = "") -> Search:
    """A search of the whole system: one search for each type of `_type` (or of all), with what all of them have.

    https://hl7.org/fhir/R4/http.html#search: "the types can be limited by _type; parameters must be common to them".
    """
    kept = [(name, value) for name, value in pairs if name != TYPES]
    each = tuple(parse_search(type, kept, lenient=lenient, base=base) for type in _types(pairs))
    shape = each[0]
    if shape.page is not None and len(kept) < len(pairs):
        _refuse("invalid", "_page", "is used as the link gave it, without other parameters")
    used = tuple((name, value) for name, value in pairs if name == TYPES and value) + shape.used
    return replace(shape, type="", criteria=(), used=used, each=() if shape.page else each)


def shown(name: str) -> str:
    """A parameter's name as an error may repeat it: letters only, so that no value slips in by a forgotten "="."""
    return f"'{name}'" if _SHOWN.fullmatch(name) else "(name not shown)"


def _types(pairs: Sequence[Pair]) -> Sequence[str]:
    values = [value for name, value in pairs if name == TYPES and value]
    if len(values) > 1:
        _refuse("invalid", TYPES, "may be given once")
    if not values:
        return tuple(RESOURCE_TYPES)
    names = tuple(dict.fromkeys(values[0].split(",")))
    if not all(name in RESOURCE_TYPES for name in names):
        _refuse("not-supported", TYPES, "names a resource type that the hub does not search")
    return names


class _Reader:
    """Gathers pair by pair."""

    def __init__(self, row: ResourceType, *, lenient: bool, base: str) -> None:
        self._row, self._lenient, self._base = row, lenient, base
        self._criteria: list[Criterion | Either | Chain | Has] = []
        self._includes: list[Include] = []
        self._result = Result()
        self._seen: set[str] = set()
        self._ignored: list[str] = []
        self._used: list[Pair] = []

    def read(self, name: str, value: str) -> None:
        if name in PASSED_OVER:
            return
        try:
            if name in RESULT_PARAMETERS:
                self._read_result(name, value)
            elif name.partition(":")[0] in (INCLUDE, REVINCLUDE):
                self._read_include(name, value)
            else:
                self._read_criterion(name, value)
        except BadValue as error:
            _refuse("invalid", name, str(error))
        except BadName as error:
            _refuse("not-supported", name, str(error))
        except UnknownName as error:
            self._unknown(name, str(error))

    def search(self) -> Search:
        result = self._result
        if result.page is not None and (self._criteria or self._includes or len(self._seen) > 1):
            _refuse("invalid", "_page", "is used as the link gave it, without other parameters")
        if result.summary == "text" and self._includes:  # R4 #summary
            _refuse("invalid", "_summary", "cannot be text where resources are included")
        return Search(
            type=self._row.name,
            criteria=tuple(self._criteria),
            includes=tuple(dict.fromkeys(self._includes)),
            sort=result.sort,
            count=result.count,
            total=result.total,
            summary=result.summary,
            elements=result.elements,
            page=result.page,
            ignored=tuple(self._ignored),
            used=tuple(self._used),
        )

    def _read_criterion(self, name: str, value: str) -> None:
        _check_value(value)
        found = Names(self._base).read(self._row, name, value)
        if found is None:  # R4: empty parameters are no error, they are ignored
            self._ignored.append(shown(name))
            return
        self._criteria.append(found)
        self._used.append((name, value))
        if len(self._criteria) > CRITERIA_MAX:
            raise BadValue(f"is one too many: a search takes at most {CRITERIA_MAX} criteria")

    def _read_include(self, name: str, value: str) -> None:
        if not value:
            self._ignored.append(shown(name))
            return
        self._includes.append(include(self._row, name, value))
        self._used.append((name, value))
        if len(self._includes) > INCLUDES_MAX:
            raise BadValue(f"is one too many: a search takes at most {INCLUDES_MAX} includes")

    def _read_result(self, name: str, value: str) -> None:
        if not value:
            self._ignored.append(shown(name))
            return
        if name in self._seen:
            raise BadValue("may be given once")
        self._seen.add(name)
        self._result, used = with_parameter(self._result, name, value, self._row)
        self._used.append((name, used))

    def _unknown(self, name: str, text: str) -> None:
        if not self._lenient:
            _refuse("not-supported", name, f"{text}; or have it left out with Prefer: handling=lenient")
        self._ignored.append(shown(name))


def _check_value(value: str) -> None:
    if len(value) > VALUE_CHARS_MAX:
        raise BadValue(f"is longer than {VALUE_CHARS_MAX} characters")
    if not is_sound(value):
        raise BadValue("has a backslash that escapes nothing: write \\\\ for a backslash, \\, \\| \\$ for the others")
    if len(split(value, ",")) > VALUES_MAX:
        raise BadValue(f"takes at most {VALUES_MAX} values")


def place(name: str) -> str | None:
    """Where an error is that lies in a parameter; None where its name is not shown. https://hl7.org/fhir/R4/operationoutcome.html"""
    return f"http.{name}" if _SHOWN.fullmatch(name) else None


def _refuse(code: IssueCode, name: str, text: str) -> NoReturn:
    raise FhirError(code, f"The search parameter {shown(name)} {text}.", expression=place(name))
