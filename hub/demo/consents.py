"""What the invented patients decided, as rows: kind -> the provisions of their Consents.

https://hl7.org/fhir/R4/consent.html; how the hub reads them: docs/consent.md. Where a patient restricts who may see,
a Consent of its own lets the devices' readings in: collecting and seeing are two decisions.
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir_profiles.canonical import LOINC, OBSERVATION_CATEGORY
from hub.demo.cast import ConsentKind
from hub.demo.people import CLINIC, HOSPITAL, HTEST, Person, Resource
from security.instance import RESOURCE_TYPES
from security.words import ACT_CODE, ACT_REASON, CONSENT_ACTION, CONSENT_SCOPE, PARTICIPATION_TYPE

Provision = Mapping[str, Any]

GLUCOSE: Final = "99504-3"
"""LOINC: glucose in interstitial fluid, mass per volume; what the demo's sensors measure."""

GIVEN_ON: Final = "2023-01-02"
EXPIRED_ON: Final = "2024-12-31"


def _permit(action: str | None = None, **conditions: Any) -> Provision:
    """For treatment, always; for one action or for all."""
    actions = {"action": [{"coding": [{"system": CONSENT_ACTION, "code": action}]}]} if action else {}
    return {"type": "permit", "purpose": [{"system": ACT_REASON, "code": "TREAT"}], **actions, **conditions}


def _only(organization: str) -> list[dict[str, Any]]:
    role = {"coding": [{"system": PARTICIPATION_TYPE, "code": "IRCP"}]}
    return [{"role": role, "reference": {"reference": f"Organization/{organization}"}}]


_LET_IN: Final = _permit("collect")

PROVISIONS: Mapping[ConsentKind, tuple[Provision, ...]] = {
    "everyone": (_permit(),),
    "refuses": ({"type": "deny"},),
    "expired": (_permit(period={"start": GIVEN_ON, "end": EXPIRED_ON}),),
    "none": (),
    "hospital": (_LET_IN, _permit("access", actor=_only(HOSPITAL))),
    "elsewhere": (_LET_IN, _permit("access", actor=_only(CLINIC))),
    "vital-signs": (
        _LET_IN,
        _permit(
            "access", **{"class": [{"system": RESOURCE_TYPES, "code": "Patient"}, {"system": OBSERVATION_CATEGORY, "code": "vital-signs"}]}
        ),
    ),
    "glucose": (_LET_IN, _permit("access", code=[{"coding": [{"system": LOINC, "code": GLUCOSE}]}])),
}


def consents(one: Person) -> tuple[Resource, ...]:
    """The Consents of a patient, under ids that the patient's own decides."""
    made = enumerate(PROVISIONS[one.role.consent], start=1)
    return tuple(_consent(f"{one.id}-consent-{number}", one, provision) for number, provision in made)


def _consent(id: str, one: Person, provision: Provision) -> Resource:
    policy = "OPTOUT" if provision["type"] == "deny" else "OPTIN"
    return {
        "resourceType": "Consent",
        "id": id,
        "meta": {"security": [dict(HTEST)]},
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "patient-privacy"}]},
        "category": [{"coding": [{"system": LOINC, "code": "59284-0", "display": "Consent Document"}]}],
        "patient": {"reference": one.reference},
        "dateTime": GIVEN_ON,
        "organization": [{"reference": f"Organization/{HOSPITAL}"}],
        "policyRule": {"coding": [{"system": ACT_CODE, "code": policy}]},
        "provision": dict(provision),
    }
