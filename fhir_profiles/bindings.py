"""What a required binding of R4's own elements takes: for a code its text, for a CodeableConcept one of its codings.

https://hl7.org/fhir/R4/terminologies.html#required. Code systems that nobody can list are told by their form
(`terminology.grammars`); a value set of another publisher's codes that do not come with the hub binds nothing here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from fhir_profiles.canonical import UCUM
from fhir_profiles.definitions import Element, Type, required_codes
from fhir_profiles.terminology.grammars import MEDIA_TYPE
from fhir_profiles.ucum import is_valid

CODES_SHOWN_MAX: Final = 12
_VALUE_SETS: Final = "http://hl7.org/fhir/ValueSet/"
_SHORT: Final = frozenset({"json", "ttl", "xml"})
"""Formats of FHIR by their short names, as HL7's own statements of capabilities give them: https://hl7.org/fhir/R4/http.html#mime-type."""
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Bound:
    """`takes` over the parsed JSON of one value, and `words`: what the value has to be, for a person."""

    takes: Callable[[Any], bool]
    words: str


@dataclass(frozen=True, slots=True)
class _Form:
    """A code system whose codes are told by their form, and how such a code looks."""

    system: str
    holds: Callable[[str], object]
    words: str


def _is_format(code: str) -> bool:
    return code in _SHORT or MEDIA_TYPE.fullmatch(code) is not None


_FORMS: Final[Mapping[str, _Form]] = MappingProxyType(
    {
        f"{_VALUE_SETS}mimetypes": _Form("urn:ietf:bcp:13", _is_format, "a media type like text/plain"),
        f"{_VALUE_SETS}currencies": _Form("urn:iso:std:iso:4217", _CURRENCY.fullmatch, "a currency of three capitals like EUR"),
        f"{_VALUE_SETS}ucum-units": _Form(UCUM, is_valid, "a unit of UCUM"),
    }
)


def bound(element: Element, type: Type) -> Bound | None:
    """What the element's required binding asks of a value of this type; None if it asks nothing that can be told here."""
    if element.binding is None or element.binding.strength != "required":
        return None
    match type.code:
        case "code":
            return _code(element.binding.value_set)
        case "CodeableConcept":
            return _concept(element.binding.value_set)
        case _:
            return None


@cache
def _code(value_set: str) -> Bound | None:
    listed, form = required_codes(value_set), _FORMS.get(value_set)
    if listed is not None:
        codes = frozenset(code for codes in listed.values() for code in codes)
        return Bound(lambda value: type(value) is str and value in codes, _one_of(codes))
    return None if form is None else Bound(lambda value: type(value) is str and bool(form.holds(value)), form.words)


@cache
def _concept(value_set: str) -> Bound | None:
    """One coding at least is of the value set; others may stand beside it, and a text alone is none."""
    listed, form = required_codes(value_set), _FORMS.get(value_set)
    if listed is not None:
        pairs = frozenset((system, code) for system, codes in listed.items() for code in codes)
        words = f"{_one_of(frozenset(code for _, code in pairs))}, of {' or '.join(sorted(listed))}"
        return Bound(lambda value: any((one.get("system"), one.get("code")) in pairs for one in value.get("coding", ())), words)
    if form is None:
        return None
    return Bound(lambda value: any(_is_of(form, one) for one in value.get("coding", ())), f"{form.words}, of {form.system}")


def _is_of(form: _Form, coding: Mapping[str, Any]) -> bool:
    return coding.get("system") == form.system and "code" in coding and bool(form.holds(coding["code"]))


def _one_of(codes: frozenset[str]) -> str:
    return "one of " + ", ".join(sorted(codes)) if len(codes) <= CODES_SHOWN_MAX else "a code of the value set that R4 requires"
