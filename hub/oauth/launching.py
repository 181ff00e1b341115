"""Launches that begin in the hub: for a person who chose an app and a patient, and the app is told by an id that means nothing else.

https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch. The id is 256 bits, stands in no record, is good for
five minutes, for one client, for the person it was begun for, and once: whoever consumes it second meets a Conflict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hub.notebook import Notebook, Page
from hub.recording import Recording
from hub.services import Services
from hub.store.protocol import NoteWrite, Unit
from security.browser_session import SECRET, new_secret
from security.oauth.authorization import Launch
from security.oauth.clients import Client

LAUNCHES = "oauth-launch"
LAUNCH_US = 300_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """What a launch id stands for. `account`: for whom it was begun, who alone may answer the app's request that names it."""

    client_id: str
    account: str
    launch: Launch
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class Startable:
    """A client with the address at which it waits to be started."""

    client: Client
    url: str


def startable(client: Client, now_us: int) -> Startable | None:
    """None for a client that is not good, or that nobody starts."""
    url = client.app.launch_url if client.app is not None else None
    return Startable(client=client, url=url) if url is not None and client.is_good(None, now_us) else None


async def new_launch(
    services: Services, *, client_id: str, account: str, launch: Launch, recording: Recording, beside: Sequence[Recording] = ()
) -> str:
    """The id, once the launch and its record, with those beside it, are durable."""
    launches, id = Notebook(services, LAUNCHES), new_secret()
    content = {"client_id": client_id, "account": account, "launch": asdict(launch)}
    note = await launches.write(await launches.read(id), content, launches.now_us + LAUNCH_US)
    await recording.commit(Unit(notes=(note,)), writes=(), beside=beside)
    return id


async def launch_of(services: Services, id: str, client_id: str) -> Launched | None:
    """What the id stands for; None for one that is none, that is over or used, or that another client was given. Raises Unavailable."""
    if SECRET.fullmatch(id) is None:
        return None
    page = await Notebook(services, LAUNCHES).read(id)
    if page.content.get("client_id") != client_id:
        return None
    return Launched(client_id=client_id, account=page.content["account"], launch=_launch(page.content["launch"]), page=page)


async def launch_used(services: Services, launched: Launched) -> NoteWrite:
    """To be committed with what the launch becomes: from then on the id stands for nothing."""
    launches = Notebook(services, LAUNCHES)
    return await launches.write(launched.page, {}, launches.now_us + LAUNCH_US)


def _launch(found: Mapping[str, Any]) -> Launch:
    return Launch(**{**found, "fhir_context": tuple(found["fhir_context"])})
