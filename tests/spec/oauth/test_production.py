"""HUB_PROFILE=production: who must have tokens that are bound. SECURITY 1.5; RFC 9449 section 8 (nonces) in the same hub.

The application with these settings on the data of the hub that runs for all tests, so that it costs no other start.
"""

import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey

from hub.instants import now_us
from hub.operator import Operator, OperatorError
from security.oauth.client import client_assertion, dpop_proof, token_form
from tests.support.backstage import Account, new_client
from tests.support.fixtures import Running
from tests.support.inprocess import ORIGIN, InProcess, in_process

TOKEN = f"{ORIGIN}/oauth/token"
FHIR = f"{ORIGIN}/fhir/Observation"


@pytest.fixture
async def production(running: Running) -> AsyncIterator[InProcess]:
    settings = {"profile": "production", "dpop_nonce": True}
    async with in_process(running.process.data_dir, running.backstage.endpoint, **settings) as opened:
        yield opened


@pytest.fixture
def registered(running: Running, request: pytest.FixtureRequest) -> Callable[..., Account]:
    """Registered while the profile was another one."""

    def register(**changes: Any) -> Account:
        account = new_client(f"{request.node.name[:40]}-{secrets.token_hex(4)}", "system/*.rs")
        return running.backstage.register(replace(account, client=replace(account.client, **changes)))

    return register


def form(account: Account) -> dict[str, str]:
    return token_form(client_assertion(account.id, account.key, TOKEN, now_us(), secrets.token_urlsafe(24)))


def proof(key: ECKey, method: str, url: str, **more: Any) -> dict[str, str]:
    return {"DPoP": dpop_proof(key, method, url, now_us(), secrets.token_urlsafe(16), **more)}


async def test_a_system_client_without_a_binding_is_not_registered(production: InProcess) -> None:
    """The text says what to do."""
    with pytest.raises(OperatorError, match="--binding dpop"):
        await Operator(production.hub).add_client(new_client("prod-refused", "system/*.rs").client, None)


async def test_one_that_was_registered_before_gets_no_token(production: InProcess, registered: Callable[..., Account]) -> None:
    """RFC 6749 section 5.2: unauthorized_client, after it has proved itself."""
    answer = await production.http.post("/oauth/token", data=form(registered()))
    assert (answer.status_code, answer.json()["error"]) == (400, "unauthorized_client")


async def test_a_token_given_before_is_refused(production: InProcess, registered: Callable[..., Account]) -> None:
    """The profile holds with the next request."""
    answer = await production.http.get("/fhir/Observation", headers=production.authorization(registered(), "system/*.rs"))
    assert answer.status_code == 401


async def test_with_a_nonce_of_the_hub_a_proof_is_taken_and_without_one_the_hub_says_which(
    production: InProcess, registered: Callable[..., Account]
) -> None:
    """RFC 9449 sections 8 and 9: use_dpop_nonce at the token endpoint and at a resource, with the nonce beside it."""
    account, key, http = registered(binding="dpop"), ECKey.generate_key("P-256", private=True), production.http
    first = await http.post("/oauth/token", data=form(account), headers=proof(key, "POST", TOKEN))
    assert (first.status_code, first.json()["error"]) == (400, "use_dpop_nonce")
    nonce = first.headers["dpop-nonce"]
    given = await http.post("/oauth/token", data=form(account), headers=proof(key, "POST", TOKEN, nonce=nonce))
    assert given.status_code == 200, given.text
    token = given.json()["access_token"]
    bearer = {"Authorization": f"DPoP {token}"}
    refused = await http.get(FHIR, headers={**bearer, **proof(key, "GET", FHIR, token=token)})
    assert (refused.status_code, 'error="use_dpop_nonce"' in refused.headers["www-authenticate"]) == (401, True)
    again = {**bearer, **proof(key, "GET", FHIR, token=token, nonce=refused.headers["dpop-nonce"])}
    assert (await http.get(FHIR, headers=again)).status_code == 200


async def test_an_app_through_which_people_see_their_own_data_may_stay_as_it_is(production: InProcess) -> None:
    """DPoP and mutual TLS are optional for apps."""
    account = new_client("prod-app", "patient/*.rs")
    app = replace(account.client, authentication="none", grants=("authorization_code",), jwks=None)
    assert await Operator(production.hub).add_client(app, None)


async def test_openly_read_keys_stay_open(production: InProcess) -> None:
    """The key set and discovery are nobody's secret."""
    assert (await production.http.get("/oauth/jwks")).status_code == 200
