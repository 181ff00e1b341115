"""The hub as a gateway: the Device that clock comparisons are made by (PHD's PhgDevice). Made when it is first needed."""

from fhir_profiles.clock import GATEWAY_SYSTEM, gateway_device
from hub.repository.patientless import patientless
from hub.services import Services
from hub.store.protocol import Claim, Stored


async def gateway(services: Services) -> tuple[str, tuple[Stored, Claim] | None]:
    """Its row, and what has to be written with whatever names it, if it is not there yet."""
    token = services.blind.token("gateway", GATEWAY_SYSTEM)
    row = await services.store.claim(token)
    if row is not None:
        return row, None
    id = services.new_id()
    made = patientless(services, await services.vault.key(None), f"Device/{id}", 1, gateway_device(), id, services.clock())
    return made.row, (made, Claim(key=token, value=made.row))
