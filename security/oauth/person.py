"""Who acts through an app: roles, and what an access token says of a person.

SMART App Launch 2.2, scopes-and-launch-context: `patient/` and `user/` scopes speak about a person; `system/` scopes never do.
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

Role = Literal["patient", "practitioner", "compliance", "administrator", "vendor"]
ROLES: Final[tuple[Role, ...]] = get_args(Role)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who signed in and lets an app act. An account has one role; who has two has two accounts.

    account        id of the account: random, says nothing of the person
    role           what this person is to the hub; decides what scopes can be asked for
    fhir_user      "Patient/{id}" or "Practitioner/{id}"; None for who is no resource (compliance, administrator, vendor)
    organization   "Organization/{id}" in whose name a practitioner, a vendor or an officer acts; "" for a patient
    """

    account: str
    role: Role
    fhir_user: str | None = None
    organization: str = ""
