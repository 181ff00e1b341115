"""A person ends what an app may do: with it end its codes, its refresh tokens and its access tokens, on every process.

GDPR Art. 7(3): withdrawing is as easy as giving was. OWASP ASVS 5.0 10.7.3.
"""

from hub.authorizations import Authorizations
from hub.recording import Recording
from hub.repository.redoing import redoing
from hub.services import Services
from hub.store.protocol import Unit
from security.oauth.authorization import Authorization


async def withdraw(services: Services, account: str, id: str, recording: Recording) -> Authorization | None:
    """As it was before; None if the account has no such authorization. What is over already stays as it is.

    Raises FhirError conflict, Unavailable.
    """
    authorizations = Authorizations(services)

    async def attempt() -> Authorization | None:
        held = await authorizations.find(id)
        if held is None or held.authorization.person.account != account:
            return None
        found = held.authorization
        recording.says(client_id=found.client_id)
        if found.launch.patient is not None:  # who finds it in the own report, whoever it was that let the app in
            recording.aim_patient(services.blind.patient(found.launch.patient))
        if found.holds(services.clock()):
            await recording.commit(Unit(notes=(await authorizations.ended(held),)), writes=())
        return found

    return await redoing(attempt, lambda: (f"authorization {id}",), services.turns)
