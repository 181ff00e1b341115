"""An app acts on its registration (RFC 7592) while an administrator decides about it: what was looked up before is not the last word."""

import pytest

from hub.oauth.self_registered import SelfRegistered, Waiting
from hub.registrations import Registrations
from hub.search.scope_query import check_scope_query
from tests.spec.smart.test_registration import description
from tests.support.fixtures import Running
from tests.support.inprocess import InProcess, in_process

pytestmark = pytest.mark.database
LESS = "patient/Observation.rs"


async def meanwhile(inside: InProcess, monkeypatch: pytest.MonkeyPatch, method: str, *, approve: bool) -> tuple[int, str]:
    """What an app that is decided about, just when it was seen to wait, is told, and its id."""
    said = description()
    made = (await inside.http.post("/oauth/clients", json=said)).json()
    registrations, find = Registrations(inside.hub, check_scope_query, "tests"), Waiting.find

    async def then_decided(self: Waiting, client_id: str) -> SelfRegistered | None:
        found = await find(self, client_id)
        monkeypatch.setattr(Waiting, "find", find)
        await (registrations.approve(client_id) if approve else registrations.refuse(client_id))
        return found

    monkeypatch.setattr(Waiting, "find", then_decided)
    headers = {"Authorization": f"Bearer {made['registration_access_token']}"}
    body = {**said, "client_id": made["client_id"], "scope": LESS} if method == "PUT" else None
    answer = await inside.http.request(method, f"/oauth/clients/{made['client_id']}", headers=headers, json=body)
    return answer.status_code, made["client_id"]


async def test_who_is_approved_meanwhile_is_not_told_that_the_token_is_wrong(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7592 sections 2.2 and 2.3: it is done to the registration that counts; 401 would say that there is none, and it would go on."""
    async with in_process(running.process.data_dir, running.backstage.endpoint) as inside:
        status, id = await meanwhile(inside, monkeypatch, "PUT", approve=True)
        client = await inside.hub.oauth.registration(id)
        assert client is not None
        assert (status, client.scopes, client.pending) == (200, LESS, False)
        status, id = await meanwhile(inside, monkeypatch, "DELETE", approve=True)
        client = await inside.hub.oauth.registration(id)
        assert client is not None
        assert (status, client.revoked_us is not None) == (204, True)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_who_is_refused_meanwhile_is_gone(running: Running, monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    async with in_process(running.process.data_dir, running.backstage.endpoint) as inside:
        status, id = await meanwhile(inside, monkeypatch, method, approve=False)
        assert (status, await inside.hub.oauth.registration(id)) == (401, None)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("approved", [False, True])
async def test_whose_token_is_replaced_meanwhile_does_nothing_by_it(
    running: Running, monkeypatch: pytest.MonkeyPatch, method: str, *, approved: bool
) -> None:
    """OWASP ASVS 5.0 15.4.2: an administrator who ends a token that leaked ends it for whoever is just using it, too."""
    async with in_process(running.process.data_dir, running.backstage.endpoint) as inside:
        said = description()
        made = (await inside.http.post("/oauth/clients", json=said)).json()
        id, registrations = made["client_id"], Registrations(inside.hub, check_scope_query, "tests")
        if approved:
            await registrations.approve(id)
        place, name = (type(inside.hub.oauth), "registration") if approved else (Waiting, "find")
        look = getattr(place, name)

        async def then_ended(self: object, client_id: str) -> object:
            found = await look(self, client_id)
            monkeypatch.setattr(place, name, look)
            await registrations.end_token(client_id)
            return found

        monkeypatch.setattr(place, name, then_ended)
        headers = {"Authorization": f"Bearer {made['registration_access_token']}"}
        body = {**said, "client_id": id, "scope": LESS} if method == "PUT" else None
        assert (await inside.http.request(method, f"/oauth/clients/{id}", headers=headers, json=body)).status_code == 401
        client = await registrations.show(id)
        assert (client.revoked_us, client.registration_token, client.scopes == LESS) == (None, None, False)
