"""From the pairs of a query to a Search value; everything that is refused is refused here.

https://hl7.org/fhir/R4/search.html. What R4 leaves to the server is decided in docs/search.md. Errors name the
parameter and say what to do; they never repeat a value, because values name people.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from hub.errors import FhirError, IssueCode
from hub.search import missing
from hub.search.grammar import is_sound, split
from hub.search.parameters import Parameter, ResourceType, resource_type
from hub.search.result import COUNT_DEFAULT, PASSED_OVER, RESULT_PARAMETERS, Result, Sort, Summary, Total, with_parameter
from hub.search.types import SEARCH_TYPES
from hub.search.value import BadValue, Value, Written

Pair = tuple[str, str]

CRITERIA_MAX = 32
VALUES_MAX = 250
VALUE_CHARS_MAX = 16_384
NEGATION = "not"
_TYPE_NAME = re.compile(r"[A-Z][A-Za-z]+")
_SHOWN = re.compile(r"[A-Za-z_][A-Za-z:._-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One parameter with its values: some value matches or, with the modifier :not, none does."""

    parameter: Parameter
    modifier: str | None
    values: tuple[Value, ...]

    @property
    def negated(self) -> bool:
        return self.modifier == NEGATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as understood. All criteria hold together.

    count    as asked, at most COUNT_MAX; None when not given (`page_size`)
    page     the opaque text of a page link; then nothing else is set
    ignored  names of parameters left out of account: unknown ones under lenient handling, and empty ones
    used     the pairs that took effect, values as sent: the self link
    """

    type: str
    criteria: tuple[Criterion, ...] = ()
    sort: Sort = ()
    count: int | None = None
    total: Total | None = None
    summary: Summary | None = None
    page: str | None = None
    ignored: tuple[str, ...] = ()
    used: tuple[Pair, ...] = ()

    @property
    def page_size(self) -> int:
        return COUNT_DEFAULT if self.count is None else self.count

    @property
    def count_only(self) -> bool:
        """R4: `_count=0` is treated as `_summary=count`: the total, no entries, no links to pages."""
        return self.count == 0 or self.summary == "count"


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


def shown(name: str) -> str:
    """A parameter's name as an error may repeat it: letters only, so that no value slips in by a forgotten "="."""
    return f"'{name}'" if _SHOWN.fullmatch(name) else "(name not shown)"


class _Reader:
    """Gathers pair by pair."""

    def __init__(self, row: ResourceType, *, lenient: bool, base: str) -> None:
        self._row, self._lenient, self._base = row, lenient, base
        self._criteria: list[Criterion] = []
        self._result = Result()
        self._seen: set[str] = set()
        self._ignored: list[str] = []
        self._used: list[Pair] = []

    def read(self, name: str, value: str) -> None:
        if name in PASSED_OVER:
            return
        if name in RESULT_PARAMETERS:
            self._read_result(name, value)
            return
        code, _, modifier = name.partition(":")
        parameter = self._row.parameters.get(code)
        if parameter is None or "." in modifier:
            self._unknown(name)
            return
        _check_modifier(parameter, modifier, name)
        if not value:  # R4: empty parameters are no error, they are ignored
            self._ignored.append(shown(name))
            return
        self._criteria.append(_criterion(parameter, modifier or None, name, value, self._base))
        self._used.append((name, value))
        if len(self._criteria) > CRITERIA_MAX:
            raise FhirError("invalid", f"A search takes at most {CRITERIA_MAX} criteria.")

    def search(self) -> Search:
        result = self._result
        if result.page is not None and (self._criteria or len(self._seen) > 1):
            _refuse("invalid", "_page", "is used as the link gave it, without other parameters")
        return Search(
            type=self._row.name,
            criteria=tuple(self._criteria),
            sort=result.sort,
            count=result.count,
            total=result.total,
            summary=result.summary,
            page=result.page,
            ignored=tuple(self._ignored),
            used=tuple(self._used),
        )

    def _read_result(self, name: str, value: str) -> None:
        if not value:
            self._ignored.append(shown(name))
            return
        if name in self._seen:
            _refuse("invalid", name, "may be given once")
        self._seen.add(name)
        try:
            self._result, used = with_parameter(self._result, name, value, self._row)
        except BadValue as error:
            _refuse("invalid", name, str(error))
        self._used.append((name, used))

    def _unknown(self, name: str) -> None:
        if not self._lenient:
            known = ", ".join(sorted((*self._row.parameters, *(one for one in RESULT_PARAMETERS if one != "_page"))))
            _refuse(
                "not-supported",
                name,
                f"is not supported for {self._row.name}: use {known}, or have it left out with Prefer: handling=lenient",
            )
        self._ignored.append(shown(name))


def _check_modifier(parameter: Parameter, modifier: str, name: str) -> None:
    """R4 #modifiers: a modifier that is not supported SHALL be refused; lenient handling does not change that."""
    known = SEARCH_TYPES[parameter.type].MODIFIERS
    if ":" not in name or modifier in known or (modifier == missing.MODIFIER and parameter.type != "id"):
        return
    if "[type]" in known and _TYPE_NAME.fullmatch(modifier):
        return
    takes = ", ".join(f":{one}" for one in sorted({*known, missing.MODIFIER})) if parameter.type != "id" else "no modifier"
    _refuse("not-supported", name, f"has a modifier that is not supported; {parameter.code} takes {takes}")


def _criterion(parameter: Parameter, modifier: str | None, name: str, value: str, base: str) -> Criterion:
    if len(value) > VALUE_CHARS_MAX:
        _refuse("invalid", name, f"is longer than {VALUE_CHARS_MAX} characters")
    if not is_sound(value):
        _refuse("invalid", name, "has a backslash that escapes nothing: write \\\\ for a backslash, \\, \\| \\$ for the others")
    pieces = split(value, ",")
    if len(pieces) > VALUES_MAX:
        _refuse("invalid", name, f"takes at most {VALUES_MAX} values")
    if "" in pieces:
        _refuse("invalid", name, "has an empty value between commas: write \\, for a comma inside a value")
    try:
        values = tuple(_value(parameter, Written(text=piece, modifier=modifier, base=base)) for piece in pieces)
    except BadValue as error:
        _refuse("invalid", name, str(error))
    return Criterion(parameter=parameter, modifier=modifier, values=values)


def _value(parameter: Parameter, written: Written) -> Value:
    if written.modifier == missing.MODIFIER:
        return missing.parse(written)
    return SEARCH_TYPES[parameter.type].parse(written, parameter)


def _refuse(code: IssueCode, name: str, text: str) -> NoReturn:
    where = f"http.{name}" if _SHOWN.fullmatch(name) else None
    raise FhirError(code, f"The search parameter {shown(name)} {text}.", expression=where)
