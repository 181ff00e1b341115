"""Reading a FHIR Consent piece by piece: https://hl7.org/fhir/R4/consent.html.

These readers never fail. They leave out what is malformed; `security.problems` names it, and a rule with a problem
permits nothing or denies all.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from fhir_profiles.canonical import BASE
from fhir_profiles.primitives import ID_PATTERN
from security.instance import PROFILES, RESOURCE_TYPES
from security.period import OPEN_START_US, Range, date_range, period_range
from security.rules import Pair, RuleType

Json = Mapping[str, Any]

CONSENT_REPLACES: Final = f"{BASE}/StructureDefinition/consent-replaces"
"""Extension on Consent, valueReference to the Consent that this one supersedes. R4 has none of its own."""

CONSENT_SCOPE: Final = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION: Final = "http://terminology.hl7.org/CodeSystem/consentaction"
ACT_CODE: Final = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
ACT_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION_TYPE: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

SILENT_SCOPES: Final = frozenset({"adr", "treatment"})
RECIPIENT_ROLES: Final = frozenset({"IRCP", "PRCP"})
"""They hold for whoever asks (reading 4)."""

_REFERENCE: Final = re.compile(rf"([A-Z][A-Za-z]*/{ID_PATTERN})(?:/_history/{ID_PATTERN})?")


def speaks(consent: Json) -> bool:
    """Reading 1: only an active Consent, and not one for treatment or advance directives."""
    scopes = scope_codes(consent)
    return consent.get("status") == "active" and not (scopes and scopes <= SILENT_SCOPES)


def scope_codes(consent: Json) -> set[str]:
    return {coding["code"] for coding in codings_of(consent.get("scope")) if coding.get("system") == CONSENT_SCOPE}


def provision_of(consent: Json) -> Json:
    """The root provision; empty if there is none."""
    provision = consent.get("provision")
    return provision if isinstance(provision, Mapping) else {}


def type_of(consent: Json) -> RuleType:
    """Reading 9: a root without type goes by policyRule OPTIN or OPTOUT; else deny."""
    provision = provision_of(consent)
    if "type" in provision:
        return "permit" if provision["type"] == "permit" else "deny"
    policies = {coding["code"] for coding in codings_of(consent.get("policyRule")) if coding.get("system") == ACT_CODE}
    return "permit" if "OPTIN" in policies and "OPTOUT" not in policies else "deny"


def date_us_of(consent: Json) -> int:
    """Start of Consent.dateTime in microseconds; the beginning of time if there is none."""
    try:
        return date_range(consent.get("dateTime"))[0]
    except ValueError:
        return OPEN_START_US


def replaces_of(consent: Json) -> list[Json]:
    return [extension for extension in each(consent, "extension") if extension.get("url") == CONSENT_REPLACES]


def replaced_of(extension: Json) -> str | None:
    reference = reference_of(extension.get("valueReference"))
    return reference if reference and reference.startswith("Consent/") else None


def period_of(provision: Json, name: str) -> Range | None:
    """The element `name` of type Period; None if it is absent or cannot be read."""
    try:
        return period_range(provision[name]) if name in provision else None
    except ValueError:
        return None


def each(parent: Json, name: str) -> list[Json]:
    """The repetitions of an element."""
    values = parent.get(name)
    return [value for value in values if isinstance(value, Mapping)] if isinstance(values, list) else []


def reference_of(reference: Any) -> str | None:
    """Type/id of a literal reference to this server, without version; None for any other kind."""
    text = reference.get("reference") if isinstance(reference, Mapping) else None
    match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    return match[1] if match else None


def codings_of(concept: Any) -> list[Json]:
    """The codings of a CodeableConcept that can be compared."""
    return [coding for coding in each(concept, "coding") if readable_coding(coding)] if isinstance(concept, Mapping) else []


def readable_coding(coding: Any) -> bool:
    """Has it a code, and a system unless that is absent?"""
    if not isinstance(coding, Mapping):
        return False
    code, system = coding.get("code"), coding.get("system", "-")
    return isinstance(code, str) and code != "" and isinstance(system, str) and system != ""


def pair_of(coding: Json) -> Pair:
    return coding.get("system"), coding["code"]


def class_of(coding: Json) -> Pair:
    """Reading 5: a type, else a profile, else a category; in the words of `security.instance.classes`."""
    system, code = pair_of(coding)
    return (PROFILES, code) if system != RESOURCE_TYPES and code.startswith(("http://", "https://")) else (system, code)


def code_pairs(concept: Any) -> list[Pair]:
    """The codings of a concept that mean something anywhere: those with a system."""
    return [pair_of(coding) for coding in codings_of(concept) if "system" in coding]


def word_of(coding: Json, home: str) -> str:
    """The code alone if it is of the system `home`, else "system|code", which equals nothing the hub compares with."""
    system, code = pair_of(coding)
    return code if system == home else f"{system or ''}|{code}"


def concept_words(concept: Any, home: str) -> list[str]:
    """The codes of a concept in the system `home`; if it has none there, the others."""
    codings = codings_of(concept)
    at_home = [coding for coding in codings if coding.get("system") == home]
    return [word_of(coding, home) for coding in at_home or codings]
