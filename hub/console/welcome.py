"""The first page: what runs here, where to go, how to make a first search. Nothing on it is about data."""

import asyncio
import shlex
from collections.abc import Mapping
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import Response

from adapters.discovery import adapters
from hub.console.pages import page
from hub.console.words import LANGUAGE_NAMES, LANGUAGES, language_of, said
from hub.services import Services
from hub.store.protocol import Unavailable

ANSWER_WITHIN_S = 1.0
"""A page that says "not ready" is worth more than one that waits for the database."""
CLIENT = "CLIENT_ID"


async def welcome(request: Request) -> Response:
    language = language_of(request.query_params.get("lang"), request.headers.get("accept-language", ""))
    words = said(language)
    base: str = request.app.state.base_url
    return page(
        "welcome.html",
        language,
        t=words,
        languages=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES],
        base=base,
        version=version("hds-hub"),
        ready=await is_ready(request.app.state.services),
        adapters=[adapter.manifest for adapter in adapters().values()],
        commands=commands(base, words),
    )


async def is_ready(services: Services) -> bool:
    try:
        await asyncio.wait_for(services.store.ping(), ANSWER_WITHIN_S)
    except (Unavailable, TimeoutError):
        return False
    return True


def commands(base: str, words: Mapping[str, str]) -> Mapping[str, str]:
    """To be run in the checkout, beside this hub, one after the other."""
    search = shlex.quote(f"{base}/fhir/Observation?_sort=-date&_count=5")
    return {
        "client": f'.venv/bin/hub client add {shlex.quote(words["my-app"])} --scope "system/*.rs" --key-out my-app.pem',
        "token": f"TOKEN=$(.venv/bin/hub token --base-url {base} --client-id {CLIENT} --key my-app.pem)",
        "search": f'curl -s -H "Authorization: Bearer $TOKEN" {search}',
        "audit": f".venv/bin/hub audit query --client {CLIENT} --limit 5",
        "demo": ".venv/bin/hub demo load",
        "ehr": "GET /fhir/Patient?name=…",
        "vendor": "POST /ingest/{adapter}",
        "compliance": ".venv/bin/hub audit verify",
    }
