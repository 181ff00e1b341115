"""What an EHR says of a launch that it opens, besides patient and encounter: parsed once, then trusted. Pure.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#launch-context-arrives-with-your-access_token
"""

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from fhir_profiles.primitives import ID_PATTERN

ENTRIES_MAX: Final = 20
ENTRY_MAX_CHARS: Final = 2_000
ENTRY_MAX_LEVELS: Final = 10
"""An Identifier has four or five; what is nested without end could be read, and not be written again for the app."""
INTENT_MAX_CHARS: Final = 200
ID: Final = re.compile(ID_PATTERN)
MEMBERS: Final = frozenset({"reference", "canonical", "identifier", "type", "role"})
NAMING: Final = ("reference", "canonical", "identifier")
LAUNCH_ROLE: Final = "launch"
"""What an entry without a role plays."""
OWN_PARAMETERS: Final = frozenset({"Patient", "Encounter"})
"""They have parameters of their own; among the rest they stand in another role only."""
BOOLEANS: Final[Mapping[str, bool]] = {"true": True, "false": False}


def resource_id(text: str, type: str) -> str:
    """Of `Type/id` or of the id alone. Raises ValueError."""
    id = text.removeprefix(f"{type}/")
    if ID.fullmatch(id) is None:
        raise ValueError(f"{type.lower()} is an id or {type}/id")
    return id


def fhir_context(text: str | None) -> tuple[Mapping[str, Any], ...]:
    """The entries of `fhirContext`, each of which names something. Raises ValueError with a text that repeats nothing."""
    if text is None:
        return ()
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("fhirContext is JSON") from None
    if not isinstance(found, list) or len(found) > ENTRIES_MAX:
        raise ValueError(f"fhirContext is an array of at most {ENTRIES_MAX} objects")
    return tuple(_entry(one) for one in found)


def _entry(one: object) -> Mapping[str, Any]:
    if not isinstance(one, dict) or not one.keys() <= MEMBERS or not any(name in one for name in NAMING):
        raise ValueError("an entry of fhirContext has reference, canonical or identifier, and besides type and role")
    if not isinstance(one.get("identifier", {}), dict) or not _is_flat(one) or len(orjson.dumps(one)) > ENTRY_MAX_CHARS:
        limits = f"{ENTRY_MAX_CHARS} characters and {ENTRY_MAX_LEVELS} levels"
        raise ValueError(f"an entry of fhirContext has at most {limits}, and an identifier is an object")
    if any(not (isinstance(value, str) and value) for name, value in one.items() if name != "identifier"):
        raise ValueError("reference, canonical, type and role of fhirContext are texts that are not empty")
    named = {one.get("type"), *str(one.get("reference", "")).split("/")[:-1]}
    if one.get("role", LAUNCH_ROLE) == LAUNCH_ROLE and named & OWN_PARAMETERS:
        raise ValueError("patient and encounter are parameters of their own; in fhirContext they have another role than launch")
    return one


def _is_flat(value: object, levels: int = ENTRY_MAX_LEVELS) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return inner is None or (levels > 0 and all(_is_flat(one, levels - 1) for one in inner))


def intent(text: str | None) -> str | None:
    """Why the app is opened, in the words that EHR and app agreed on. Raises ValueError."""
    if text is not None and not (0 < len(text) <= INTENT_MAX_CHARS and text.isprintable()):
        raise ValueError(f"intent is a printable text of at most {INTENT_MAX_CHARS} characters")
    return text


def banner(text: str | None) -> bool:
    """Has the app to say whose data it shows? Yes, unless the EHR says that it does so around the app. Raises ValueError."""
    found = BOOLEANS.get("true" if text is None else text)
    if found is None:
        raise ValueError("need_patient_banner is true or false")
    return found
