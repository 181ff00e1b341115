"""A coded value against the value set it is bound to.

https://hl7.org/fhir/R4/terminologies.html#strength: required is an error, extensible a warning, the others are advice.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from fhir_profiles.terminology import library, members
from fhir_profiles.terminology.compose import holds

Held = Callable[[Any], bool | None]
"""Is the value in the value set? None: that cannot be told here."""
CODED: Final = frozenset({"code", "Coding", "CodeableConcept", "Quantity", "SimpleQuantity", "MoneyQuantity", "Duration", "Age"})


def held(value_set: str, type: str, *, choice: bool) -> Held | None:
    """How to tell for a value of this type; None if the binding does not concern it.

    A string or uri is bound only where it is the only type: a value[x] as free text is not coded at all.
    """
    if type not in CODED and (choice or type not in ("string", "uri")):
        return None
    known = members(value_set)
    pair: Callable[[Any, Any], bool | None]
    pair = partial(_asked, value_set) if known is None else partial(_listed, known)
    match type:
        case "CodeableConcept":
            return partial(_concept, pair)
        case "code" | "string" | "uri":
            return partial(_bare_asked, value_set) if known is None else partial(_bare, frozenset(code for _, code in known))
        case _:
            return partial(_coding, pair)


def _listed(known: frozenset[tuple[str, str]], system: Any, code: Any) -> bool:
    return (system, code) in known


def _asked(canonical: str, system: Any, code: Any) -> bool | None:
    value_set = library.value_set(canonical)
    return None if value_set is None else holds(value_set, str(system), str(code))


def _bare(codes: frozenset[str], value: Any) -> bool | None:
    return None if value is None else value in codes


def _bare_asked(canonical: str, value: Any) -> bool | None:
    """A code of a value set that cannot be listed: of one of the systems that it takes in."""
    value_set = library.value_set(canonical)
    if value is None or value_set is None:
        return None
    systems = {part["system"] for part in value_set.get("compose", {}).get("include", ()) if "system" in part}
    answers = {holds(value_set, system, value) for system in systems}
    return True if True in answers else None if None in answers or not answers else False


def _coding(pair: Callable[[Any, Any], bool | None], value: Mapping[str, Any]) -> bool | None:
    """Without a code there is nothing that could be in the value set (a Quantity may have no unit at all)."""
    if "code" not in value:
        return False
    return pair(value.get("system"), value["code"])


def _concept(pair: Callable[[Any, Any], bool | None], value: Mapping[str, Any]) -> bool | None:
    unknown = False
    for coding in value.get("coding", ()):
        one = _coding(pair, coding)
        if one:
            return True
        unknown = unknown or one is None
    return None if unknown else False
