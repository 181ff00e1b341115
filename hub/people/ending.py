"""What an account let apps do ends with something that happens to the account: one way, whoever does it, the person or an operator.

GDPR Art. 15: a patient finds in the own report that an app may see the record no more, which app it was, and by whom that came.
"""

from dataclasses import dataclass

from hub.authorizations import Authorizations
from hub.recording import Recording
from hub.services import Services
from hub.store.protocol import NoteWrite


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """To be committed with what it comes from. `records`: beside the record of that, one for each app."""

    notes: tuple[NoteWrite, ...] = ()
    records: tuple[Recording, ...] = ()


async def apps_ended(services: Services, account: str, recording: Recording, *, basis: str = "account") -> Ending:
    """All that the account let apps do and that still holds is over.

    recording  of what it comes from: the others tell of the same person and the same request
    basis      by what right, as records say it
    """
    held, notes = await Authorizations(services).ending(account)
    records = {client: recording.another("authorization-end") for client in dict.fromkeys(one.client_id for one in held)}
    for client, record in records.items():
        record.says(client_id=client, basis=basis)
    for one in held:
        if one.launch.patient is not None:
            records[one.client_id].aim_patient(services.blind.patient(one.launch.patient))
    return Ending(notes=notes, records=tuple(records.values()))
