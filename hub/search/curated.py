"""What HL7's definitions do not say: which parameters have tokens of their own, and which are not offered.

Tokens are what a stolen database can compare (docs/leakage.md), and each is an entry in an index: few parameters have
them, the others narrow by what their neighbours have and are decided on the opened resource.
"""

from collections.abc import Mapping
from typing import Final

from hub.search.elements import NAME_PARTS
from hub.search.row import Parameter, Path
from hub.search.systems import (
    AUDIT_EVENT_SUBTYPES,
    AUDIT_EVENT_TYPES,
    CONSENT_CATEGORIES,
    CONSENT_SCOPES,
    DEVICE_TYPES,
    OBSERVATION_CATEGORIES,
    OBSERVATION_CODES,
)

CODING: Final = "coding"
"""The space of codings that no parameter has a space for: a Consent may speak of any of them."""
CATEGORY: Final = "category"

OWN_SPACE: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "Observation": {"code": OBSERVATION_CODES, "component-code": OBSERVATION_CODES, "category": OBSERVATION_CATEGORIES},
    "Consent": {"scope": CONSENT_SCOPES, "category": CONSENT_CATEGORIES},
    "Device": {"type": DEVICE_TYPES},
    "AuditEvent": {"type": AUDIT_EVENT_TYPES, "subtype": AUDIT_EVENT_SUBTYPES},
}
"""Concepts with a space of their own: the systems that it knows."""

CONCEPT_SPACES: Final = frozenset({CODING, CATEGORY, *(code for rows in OWN_SPACE.values() for code in rows)})

PREFIXED: Final[Mapping[str, frozenset[str]]] = {
    "Patient": frozenset({"name", "family", "given"}),
    "Practitioner": frozenset({"name", "family", "given"}),
    "RelatedPerson": frozenset({"name"}),
    "Person": frozenset({"name"}),
    "Organization": frozenset({"name"}),
    "Device": frozenset({"device-name", "manufacturer", "model"}),
}
"""Strings whose words have tokens of their beginnings, to be looked up across patients."""

IN_THE_LOG: Final[Mapping[str, frozenset[str]]] = {
    "AuditEvent": frozenset({"date", "patient", "agent", "entity", "action", "outcome", "type", "subtype", "altid"})
}
"""AuditEvents lie in the log, which writes the tokens of these alone (`audit.log`)."""

_PHONETIC: Final = "is not offered: names are compared as they are written; use name"
_IN_BUNDLE: Final = "is not offered: a Bundle is kept whole and its entries are not searched"
REFUSED: Final[Mapping[str, Mapping[str, str]]] = {
    "Patient": {"phonetic": _PHONETIC},
    "Practitioner": {"phonetic": _PHONETIC},
    "Person": {"phonetic": _PHONETIC},
    "Bundle": {"composition": _IN_BUNDLE, "message": _IN_BUNDLE},
    "Location": {"near": "is not offered: positions are sealed and no index orders them; use address-city or identifier"},
}
"""Parameters that R4 has and the hub does not offer."""


def common() -> tuple[Parameter, ...]:
    """What every type has. https://hl7.org/fhir/R4/resource.html#search"""
    return (
        Parameter(code="_id", type="id", paths=(("id",),), kinds=("id",), where="id"),
        Parameter(code="_lastUpdated", type="date", paths=(("meta", "lastUpdated"),), kinds=("instant",), where="lu"),
        _meta("_tag", ("meta", "tag")),
        _meta("_security", ("meta", "security")),
        Parameter(
            code="_profile",
            type="uri",
            paths=(("meta", "profile"),),
            kinds=("canonical",),
            where="k",
            spaces=("_profile",),
            writes="_profile",
        ),
        Parameter(
            code="_source", type="uri", paths=(("meta", "source"),), kinds=("uri",), where="k", spaces=("_source",), writes="_source"
        ),
    )


def _meta(code: str, path: Path) -> Parameter:
    return Parameter(code=code, type="token", paths=(path,), kinds=("Coding",), where="k", spaces=(code,), writes=code)


def human_name() -> Parameter:
    """https://hl7.org/fhir/R4/patient.html#search: `name` looks into each part of a HumanName; two have tokens of their own."""
    return Parameter(
        code="name",
        type="string",
        paths=tuple(("name", part) for part in NAME_PARTS),
        kinds=("string",) * len(NAME_PARTS),
        where="g",
        spaces=("name", "family", "given"),
        writes="name",
    )
