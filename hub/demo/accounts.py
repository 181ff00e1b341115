"""People of the demo who can sign in: one of each kind that somebody would try. Their passwords are made for this data directory
and shown once.

They hold nowhere else: no password is written down in the code, and none is kept but as a hash.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from hub.demo.people import HOSPITAL, PRACTITIONERS, person
from hub.operator import Operator
from hub.people.accounts import Accounts
from hub.people.roster import Roster
from hub.store.protocol import Conflict
from hub.wiring import Hub
from security.oauth.person import Person, Role
from security.people.account import Account
from security.people.passwords import SALT_BYTES
from security.people.recovery import new_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Who plays. `fhir_user`: what the person is in FHIR."""

    login: str
    role: Role
    name: str
    fhir_user: str | None = None
    organization: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """`password`: None where the account was there already."""

    login: str
    role: Role
    password: str | None


def parts(seed: int) -> Sequence[Part]:
    """The patient is the first of the cast, whose consent lets everybody who treats see everything."""
    patient = person(seed, 1)
    hospital = f"Organization/{HOSPITAL}"
    return (
        Part(login=f"demo-patient-{seed}", role="patient", name=f"{patient.given} {patient.family}", fhir_user=patient.reference),
        Part(
            login="demo-doctor",
            role="practitioner",
            name="Dr Capucine Boisfaraud",
            fhir_user=f"Practitioner/{PRACTITIONERS[0]}",
            organization=hospital,
        ),
        Part(login="demo-compliance", role="compliance", name="Compliance of the demo", organization=hospital),
        Part(login="demo-administrator", role="administrator", name="Administrator of the demo"),
    )


async def people_of(hub: Hub, seed: int, reason: str) -> list[Login]:
    """Those who can sign in, made if they are new."""
    return [await _login(hub, part, reason) for part in parts(seed)]


async def _login(hub: Hub, part: Part, reason: str) -> Login:
    services = hub.services
    if await Accounts(services).by_login(part.login) is not None:
        return Login(login=part.login, role=part.role, password=None)
    (password,) = new_codes(os.urandom)[:1]
    person = Person(account=services.new_id(), role=part.role, fhir_user=part.fhir_user, organization=part.organization)
    now_us = services.clock()
    account = Account(login=part.login, name=part.name, person=person, created_us=now_us)
    chosen = await services.hashing.hashed(password, os.urandom(SALT_BYTES))
    roster = Roster(services, lambda kind, of: Operator(hub, reason).recording(kind, path=f"/account/{of}"))
    try:
        await roster.add(replace(account, password=chosen, password_changed_us=now_us))
    except Conflict:  # another load at this moment; its password was shown there
        return Login(login=part.login, role=part.role, password=None)
    return Login(login=part.login, role=part.role, password=password)


KEPT: Final = "as shown at the first run; hub user reset gives a new link"
