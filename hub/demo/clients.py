"""The applications that take part in the demo: who fills it, and who may look.

Those that fill it act inside this process and have no key, so that nobody can get a token for them. Those that look have
a key of their own in the data directory; their client_id follows from that key, so that key and registration can always
be brought together again, whichever of the two was lost.
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from hub.authenticate import caller_of
from hub.demo.people import HOSPITAL
from hub.instants import now_us
from hub.operator import Operator, user_name
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.wiring import Hub
from security.oauth.clients import Client, new_client_keys
from security.oauth.jwks import private_key

KEY_ID_CHARACTERS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What a client of the demo is registered for. `organization`: whom it acts for; empty: an organisation of its own."""

    name: str
    title: str
    scope: str
    purpose: str = "TREAT"
    organization: str = ""
    recorder: bool = False
    importer: bool = False


RECORDER = Part(
    name="demo-recorder",
    title="Demo: patients and consents",
    scope="system/Consent.cu system/Organization.cu system/Patient.cu system/Practitioner.cu",
    recorder=True,
    importer=True,
)
VENDOR = Part(name="demo-vendor", title="Demo: device vendor", scope="system/Observation.c")
EHR = Part(name="demo-ehr", title="Demo: hospital EHR", scope="system/*.rs", organization=f"Organization/{HOSPITAL}")
COMPLIANCE = Part(name="demo-compliance", title="Demo: compliance officer", scope="system/AuditEvent.rs", purpose="HCOMPL")
VISITORS: Final = (EHR, COMPLIANCE)


async def resident(hub: Hub, part: Part, reason: str) -> Client:
    """The client under its plain name, registered if it is new. It has no key: it acts in this process only."""
    return await _registered(hub, part, part.name, {"keys": []}, reason)


async def visitor(hub: Hub, part: Part, key: Path, reason: str) -> Client:
    """The client that belongs to the key file `key`, both made if need be. One that was revoked gets another key."""
    while True:
        pem, jwks = _keys(key)
        found = await _registered(hub, part, f"{part.name}-{_key_id(pem)}", jwks, reason)
        if found.revoked_us is None:
            return found
        forget(key)


def acting(hub: Hub, client: Client, interaction: str, reason: str) -> Repository:
    """A repository for one interaction of the client, on behalf of the person who runs the command."""
    request_id = hub.services.new_id()
    caller = caller_of(client, client.granted, client.purpose, request_id)
    facts = RequestFacts(request_id=request_id, interaction=interaction, user=user_name(), reason=reason)
    return Repository(caller, hub.services, facts)


async def _registered(hub: Hub, part: Part, client_id: str, jwks: dict[str, Any], reason: str) -> Client:
    known = await hub.oauth.find_client(client_id)
    if known is not None:
        return known
    client = Client(
        client_id=client_id,
        name=part.title,
        scopes=part.scope,
        organization=part.organization,
        purpose=part.purpose,
        consent_default="opt-in",
        recorder=part.recorder,
        importer=part.importer,
        jwks=jwks,
        jwks_uri=None,
        created_us=now_us(),
    )
    return await Operator(hub, reason).add_client(client, None)


def forget(key: Path) -> None:
    """Of a client that was revoked: its key is good for nothing any more."""
    key.unlink()


def _keys(path: Path) -> tuple[bytes, dict[str, Any]]:
    """The private key in the file, made if there is none (0600), and its public half as a JWKS."""
    if not path.exists():
        pem, jwks = new_client_keys()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        return pem, jwks
    pem = path.read_bytes()
    key, algorithm = private_key(pem)
    return pem, {"keys": [dict(key.as_dict(private=False, kid=key.thumbprint(), use="sig", alg=algorithm))]}


def _key_id(pem: bytes) -> str:
    """From the public half: a client_id is no secret."""
    key, _ = private_key(pem)
    return hashlib.sha256(key.thumbprint().encode()).hexdigest()[:KEY_ID_CHARACTERS]
