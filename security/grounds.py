"""Which scopes of its token a caller may use for an interaction, and to whose record each of them is bound.

https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html. Scopes of level system are for clients by themselves, those of
level patient and user for people; what a role may use of them is decided here once more, whatever the token says.
"""

from dataclasses import dataclass
from typing import Final

from security.access import RECORDED
from security.context import AccessContext
from security.oauth.person import Person, Role
from security.scopes import Scope

LOG: Final = "AuditEvent"
FHIR_USER: Final = "fhirUser"
"""The scope word by which an app learns who its user is, and may read that resource (SMART 2.2, scopes for requesting identity data)."""
WITH_PATIENTS: Final[frozenset[Role]] = frozenset({"patient", "practitioner"})
"""Roles for whom there is care, or a record of one's own; all others see nothing that concerns a patient."""
READ, WRITTEN = "r", frozenset("cud")


@dataclass(frozen=True, slots=True)
class Ground:
    """A scope that allows an interaction.

    patient  id of the patient in whose compartment everything lies that it reaches; None: it is bound to nobody's
    """

    scope: Scope
    patient: str | None = None

    @property
    def boundless(self) -> bool:
        """Does it ask nothing of a resource?"""
        return self.patient is None and not self.scope.query


def grounds(context: AccessContext, resource_type: str, letter: str) -> tuple[Ground, ...]:
    """Any one of them suffices, each under its own query and within its own compartment. Empty means no.

    letter  of "cruds"
    """
    if context.person is None:
        return tuple(Ground(scope) for scope in context.scopes.covering(resource_type, letter))
    return tuple(_of_person(context, context.person, resource_type, letter))


def own_record(context: AccessContext) -> str | None:
    """The id of the Patient that the person is; None for everybody else."""
    person = context.person
    if person is None or person.role != "patient" or person.fhir_user is None:
        return None
    type, _, id = person.fhir_user.partition("/")
    return id if type == "Patient" and id else None


def sees_patients(context: AccessContext) -> bool:
    """Is any patient's consent asked for this caller? Compliance officers, administrators and vendors act for nobody's care."""
    return context.person is None or context.person.role in WITH_PATIENTS


def _of_person(context: AccessContext, person: Person, resource_type: str, letter: str) -> list[Ground]:
    if not _may(person.role, resource_type, letter):
        return []
    own = own_record(context)
    if person.role == "patient" and own is None:
        return []
    covering = context.scopes.covering
    made = [Ground(scope, own) for scope in covering(resource_type, letter, level="user")]
    if context.patient is not None and person.role in WITH_PATIENTS:
        made += [Ground(scope, context.patient) for scope in covering(resource_type, letter, level="patient")]
    if FHIR_USER in context.words and letter == READ and person.fhir_user is not None:
        type, _, id = person.fhir_user.partition("/")
        made += [Ground(Scope("user", type, frozenset({READ}), (("_id", id),)), own)] if type == resource_type else []
    return made


def _may(role: Role, resource_type: str, letter: str) -> bool:
    """The log is for compliance officers; who one is, and what one has consented to, is a recorder's to write (docs/adr/0009)."""
    if resource_type == LOG:
        return role == "compliance"
    return not (role == "patient" and resource_type in RECORDED and letter in WRITTEN)
