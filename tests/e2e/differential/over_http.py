"""The same hub behind a real socket, with clients that are registered and bear tokens: for a share of the searches."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import uvicorn

from hub.app import create_app
from hub.instants import now_us
from hub.operator import Operator
from security.oauth.access_token import issue
from tests.e2e.differential.compare import Ask
from tests.e2e.differential.store import Store, scope_text
from tests.e2e.differential.world import Asker
from tests.support.backstage import new_client

Json = dict[str, Any]

OPEN_S = 3_600
"""Connections stay open: on a busy machine minutes may lie between two questions."""


@asynccontextmanager
async def over_http(store: Store) -> AsyncIterator[Ask]:
    """Gives the function that asks over HTTP."""
    clients = {asker.name: await _registered(store, asker) for asker in store.askers}
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(store.hub), log_level="error", lifespan="off", timeout_keep_alive=OPEN_S))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=OPEN_S) as http:

        async def ask(asker: Asker, path: str, query: str) -> tuple[int, Json]:
            headers = {"Authorization": f"Bearer {_token(store, asker, clients[asker.name])}"}
            if len(query) % 2 and not path.count("/"):  # a compartment is asked by GET
                form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
                answer = await http.post(f"/fhir/{path}/_search".replace("//", "/"), content=query.encode(), headers=form)
            else:
                answer = await http.get(f"/fhir/{path}?{query}".replace("/?", "?"), headers=headers)
            return answer.status_code, answer.json()

        try:
            yield ask
        finally:
            server.should_exit = True
            with suppress(asyncio.CancelledError):
                await serving
            listening.close()


async def _registered(store: Store, asker: Asker) -> str:
    made = new_client(
        asker.name,
        scope_text(asker),
        organization=asker.organization,
        purpose=asker.purpose,
        consent_default="opt-out" if asker.opted_out else "opt-in",
    )
    client = await Operator(store.hub, "tests").add_client(made.client, None)
    assert asker.device == f"Device/{client.client_id}"
    return client.client_id


def _token(store: Store, asker: Asker, client_id: str) -> str:
    """A fresh one each time: the hub's tokens are short-lived."""
    return issue(
        key=store.hub.signing_keys.current,
        issuer=store.hub.base_url,
        audience=store.hub.services.base_url,
        client_id=client_id,
        scope=scope_text(asker),
        purpose=asker.purpose,
        jti=f"token-of-{asker.name}",
        now_us=now_us(),
    )
