"""https://hl7.org/fhirpath/N1/#string-manipulation"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.fhirpath import regex
from fhir_profiles.fhirpath.errors import FhirPathEvaluationError, FhirPathSyntaxError
from fhir_profiles.fhirpath.functions.row import Arguments, Function, Items, Run, Truth, over, saying
from fhir_profiles.fhirpath.functions.subsetting import whole
from fhir_profiles.fhirpath.operators import TEXT_CHARS_MAX, single
from fhir_profiles.fhirpath.syntax import Literal
from fhir_profiles.fhirpath.temporal import Temporal


def _text(items: Items) -> str | None:
    value = single(items)
    if isinstance(value, Temporal):
        return value.text
    if value is not None and not isinstance(value, str):
        raise FhirPathEvaluationError("a text is needed")
    return value


def _with(function: Callable[..., Any]) -> Callable[..., Any]:
    """On texts that are all there; else nothing."""

    def applied(focus: Items, *arguments: Items) -> Any:
        texts = [_text(items) for items in (focus, *arguments)]
        return None if any(text is None for text in texts) else function(*texts)

    return applied


def _one(function: Callable[..., Any], arguments: int = 0) -> Function:
    applied = _with(function)

    def collected(focus: Items, *others: Items) -> Items:
        made = applied(focus, *others)
        return [] if made is None else [_bounded(made)]

    return over(collected, arguments)


def _bounded(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_CHARS_MAX:
        raise FhirPathEvaluationError("a text becomes too long")
    return value


def _replace(text: str, pattern: str, substitution: str) -> str:
    if len(text) * max(1, len(substitution)) > TEXT_CHARS_MAX and text.count(pattern) * len(substitution) > TEXT_CHARS_MAX:
        raise FhirPathEvaluationError("a text becomes too long")
    return text.replace(pattern, substitution)


def _substring(focus: Items, start: Items, length: Items | None = None) -> Items:
    text, at = _text(focus), whole(start)
    if text is None or at is None or not 0 <= at < len(text):
        return []
    many = None if length is None else whole(length)
    return [text[at:] if many is None else text[at : at + max(0, many)]]


def _characters(focus: Items) -> Items:
    return list(_text(focus) or "")


def _split(focus: Items, separator: Items) -> Items:
    text, between = _text(focus), _text(separator)
    return [] if text is None or between is None else text.split(between) if between else list(text)


def _join(focus: Items, separator: Items | None = None) -> Items:
    texts = [text for item in focus if (text := _text([item])) is not None]
    return [_bounded((_text(separator or []) or "").join(texts))] if focus else []


def _prepared(arguments: Arguments) -> None:
    """A pattern that is a literal is judged once, when the expression is read."""
    match arguments.expression(0):
        case Literal((str(pattern),)):
            try:
                regex.prepare(pattern)
            except FhirPathEvaluationError as error:
                raise FhirPathSyntaxError(str(error)) from error


def _matching(function: Callable[..., Any], arguments: int) -> Function:
    plain = saying(_with(function), arguments) if arguments == 1 else _one(function, arguments)

    def truth(given: Arguments) -> Truth:
        _prepared(given)
        assert plain.truth is not None  # noqa: S101 -- by construction
        return plain.truth(given)

    def run(given: Arguments) -> Run:
        _prepared(given)
        assert plain.run is not None  # noqa: S101 -- by construction
        return plain.run(given)

    return Function(arguments, arguments, truth=truth) if arguments == 1 else Function(arguments, arguments, run=run)


TABLE: Final[Mapping[str, Function]] = MappingProxyType(
    {
        "indexOf": _one(str.find, 1),
        "substring": over(_substring, 1, 2),
        "startsWith": saying(_with(str.startswith), 1),
        "endsWith": saying(_with(str.endswith), 1),
        "contains": saying(_with(str.__contains__), 1),
        "upper": _one(str.upper),
        "lower": _one(str.lower),
        "trim": _one(str.strip),
        "replace": _one(_replace, 2),
        "matches": _matching(regex.matches, 1),
        "replaceMatches": _matching(regex.replaced, 2),
        "length": _one(len),
        "toChars": over(_characters),
        "split": over(_split, 1),
        "join": over(_join, 0, 1),
    }
)
