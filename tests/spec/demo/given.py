"""A hub on an empty database, callers, and what a test may ask of both."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from hub.demo.load import Done, load
from hub.demo.plan import Demo
from hub.recording import RequestFacts
from hub.repository import Repository
from hub.search.parse import parse_search
from hub.settings import Settings
from hub.store.embedded import Endpoint
from hub.wiring import Hub, open_hub
from security.context import AccessContext
from security.scopes import Scopes

JUNE = date(2026, 6, 15)
"""A day long after and long before any change of clocks."""
PAGE = "1000"

Seen = tuple[str, str, datetime, tuple[str, ...]]
"""Patient, LOINC code, when, and the numbers as they are written."""


def demo(*, seed: int = 1, patients: int = 20, days: int = 1, until: date = JUNE) -> Demo:
    return Demo(seed=seed, patients=patients, days=days, until=until)


@asynccontextmanager
async def hub_at(endpoint: Endpoint, data_dir: Path) -> AsyncIterator[Hub]:
    async with open_hub(Settings(data_dir=data_dir), endpoint, "http://hub.test") as hub:
        yield hub


async def loaded(hub: Hub, wanted: Demo) -> Done:
    return await load(hub, wanted, None, lambda _: None)


def caller(hub: Hub, *, organization: str, purpose: str = "TREAT", scope: str = "system/*.rs") -> Repository:
    """A client that asks for what is there, for an organisation and a purpose."""
    request_id = hub.services.new_id()
    context = AccessContext(
        client_id="a-client",
        client_name="A client",
        organization=organization,
        scopes=Scopes.parse(scope),
        purpose=purpose,
        consent_default="opt-in",
        recorder=False,
        importer=False,
        request_id=request_id,
    )
    return Repository(context, hub.services, RequestFacts(request_id=request_id, interaction="search"))


async def found(repository: Repository, type: str, **parameters: str) -> list[dict[str, Any]]:
    """What a search answers, its first page."""
    search = parse_search(type, (("_count", PAGE), *parameters.items()), lenient=False)
    return [orjson.loads(match.resource.json) for match in (await repository.search(search, None)).matches]


def seen(observation: dict[str, Any]) -> Seen:
    parts = observation.get("component", [observation])
    numbers = tuple(str(part["valueQuantity"]["value"]) for part in parts)
    at = datetime.fromisoformat(observation["effectiveDateTime"]).astimezone(UTC)
    return observation["subject"]["reference"], observation["code"]["coding"][0]["code"], at, numbers


def stored(admin: Any) -> Counter[str]:
    """How many documents lie in each collection; the log apart, which grows whatever is asked."""
    hub = admin["hub"]
    return Counter({name: hub[name].count_documents({}) for name in hub.list_collection_names() if not name.startswith("oauth_jti")})


def emptied(admin: Any) -> None:
    for database in ("hub", "hub_keys", "hub_audit"):
        for collection in admin[database].list_collection_names():
            admin[database][collection].delete_many({})


def of_type(admin: Any, type: str) -> int:
    count: int = admin["hub"]["resources"].count_documents({"_id": {"$regex": f"^{type}/"}})
    return count
