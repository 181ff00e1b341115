"""A patient links a vendor's account in a browser: state, one browser, one link; what is kept is sealed. Laws 2 to 5.

https://www.rfc-editor.org/rfc/rfc6749#section-4.1, https://www.rfc-editor.org/rfc/rfc9700#section-4.7,
https://www.rfc-editor.org/rfc/rfc7636, https://developer.withings.com/developer-guide/v3/integration-guide/public-health-data-api
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import respx
from pymongo import MongoClient

from audit.record import from_document
from hub.app import clouds_of
from hub.ingest.clouds import DEXCOM, WITHINGS, Credentials
from hub.ingest.granting import Granting, Invitation, authorization_url
from hub.ingest.links import Links
from hub.ingest.polling import At
from hub.operator import Operator
from hub.outbound import Outbound
from hub.settings import Settings
from hub.store.embedded import Endpoint
from hub.store.protocol import Unit
from hub.vault import AUDIT_TYPE
from tests.support.backstage import Account, new_client
from tests.support.inprocess import InProcess, in_process
from tests.support.resources import patient

ADDRESS = "93.184.215.14"
AT = At(base="https://wbsapi.withings.net", own=Credentials(client_id="hub-at-withings", client_secret="a-secret-of-the-tests"))
TOKENS = {"userid": "363", "access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 10_800}
ANSWER = {"status": 0, "body": TOKENS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    inside: InProcess
    account: Account
    person: str
    word: str

    @property
    def path(self) -> str:
        return f"/clouds/link?invitation={self.word}"

    async def begun(self) -> dict[str, str]:
        """The page, the button, and what the address of the vendor's page says."""
        page = await self.inside.http.get(self.path)
        assert page.status_code == 200, page.text
        answer = await self.inside.http.post("/clouds/link", data=fields(page.text))
        assert answer.status_code == 200, answer.text
        href = re.search(r'<a href="(https://account[^"]+)"', answer.text)
        assert href is not None
        url = urlsplit(href[1].replace("&amp;", "&"))
        assert f"{url.scheme}://{url.netloc}{url.path}" == "https://account.withings.com/oauth2_user/authorize2"
        return {name: one for name, (one,) in parse_qs(url.query).items()}

    async def back(self, **asked: str) -> httpx.Response:
        return await self.inside.http.get("/clouds/callback", params=asked)

    async def another(self) -> "Scene":
        """Another patient of the same client, invited as well."""
        return await invited(self.inside, self.account)

    async def links(self) -> list[Any]:
        return [link for _, link in await Links(self.inside.hub.services).all()]


async def invited(inside: InProcess, account: Account, *, again: Scene | None = None, cloud: str = "withings") -> Scene:
    """`again`: of the same patient, and nothing is said about from when on."""
    headers = inside.authorization(account, "system/*.cruds")
    person = again.person if again else (await inside.http.post("/fhir/Patient", json=patient(), headers=headers)).json()["id"]
    invitation = Invitation(
        cloud=cloud,
        client=account.id,
        patient=f"Patient/{person}",
        feeds=("heart",) if cloud == "withings" else (),
        since_us=None if again else 1_750_000_000_000_000,
        invited_us=1_760_000_000_000_000,
        user="ada",
        reason="asked for by phone",
    )
    async with Operator(inside.hub).recording("cloud-link") as recording:
        word = await Granting(inside.hub.services).invite(invitation, recording)
    return Scene(inside=inside, account=account, person=person, word=word)


def fields(html: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="([a-z]+)" value="([^"]*)">', html))


@pytest.fixture
def internet() -> Iterator[respx.MockRouter]:
    with respx.mock(assert_all_called=False) as router:
        yield router


@pytest.fixture
async def scene(tmp_path: Path, clean_database: Endpoint) -> AsyncIterator[Scene]:
    async def resolve(_: str, __: int) -> list[str]:
        return [ADDRESS]

    async with in_process(tmp_path, clean_database) as inside:
        account = await inside.register(new_client("Clinic", "system/*.cruds", consent_default="opt-out", recorder=True))
        state = inside.http._transport.app.state  # type: ignore[attr-defined]
        state.clouds, state.outbound = {"withings": AT}, Outbound(resolve=resolve)
        yield await invited(inside, account)
        await state.outbound.aclose()


async def test_an_account_is_linked_at_the_vendors_own_page(internet: respx.MockRouter, scene: Scene) -> None:
    asked = await scene.begun()
    token = internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    assert (asked["client_id"], asked["response_type"], asked["scope"]) == ("hub-at-withings", "code", "user.metrics,user.activity")
    done = await scene.back(state=asked["state"], code="the-code")
    assert done.status_code == 200, done.text
    form = {name: one for name, (one,) in parse_qs(token.calls.last.request.content.decode()).items()}
    assert (form["grant_type"], form["code"], form["redirect_uri"]) == ("authorization_code", "the-code", asked["redirect_uri"])
    assert form["redirect_uri"] == f"{scene.inside.hub.base_url}/clouds/callback"
    (link,) = await scene.links()
    assert (link.user, link.client, link.patient) == ("363", scene.account.id, f"Patient/{scene.person}")
    assert (link.cursor, link.further) == ({"since": 1_750_000_000}, {"heart": {"since": 1_750_000_000}})
    assert link.tokens.refresh == "refresh-1"


async def test_the_record_names_the_patient_and_who_invited_and_no_code(
    internet: respx.MockRouter, scene: Scene, admin: MongoClient[dict[str, Any]]
) -> None:
    """Law 2; the code and the state are secrets, if only for a while."""
    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    asked = await scene.begun()
    await scene.back(state=asked["state"], code="the-code")
    services = scene.inside.hub.services
    drafts = [from_document(one).draft for one in admin["hub_audit"]["records"].find().sort("s", 1)]
    owned = [one for one in drafts if one.patient == services.blind.patient(scene.person) and one.key_id == one.patient]
    key = await services.vault.key(services.blind.patient(scene.person))
    events = [services.vault.open_sealed(key, AUDIT_TYPE, one.id, 1, one.key_id, one.sealed, purpose="audit") for one in owned]
    linked = [one.decode() for one in events if b'"cloud-link"' in one]
    assert len(linked) == 3  # invited, begun, linked
    assert all("ada" in one for one in linked[1:])
    assert not [word for word in ("the-code", asked["state"], "refresh-1") if word in str(events)]


async def test_a_link_is_made_once(internet: respx.MockRouter, scene: Scene) -> None:
    """The invitation is used up with it, and so is the state."""
    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    asked = await scene.begun()
    answers = [(await scene.back(state=asked["state"], code="c")).status_code for _ in range(2)]
    assert answers == [200, 404]
    assert (await scene.inside.http.get(scene.path)).status_code == 404
    assert len(await scene.links()) == 1


async def test_another_browser_cannot_end_what_this_one_began(internet: respx.MockRouter, scene: Scene) -> None:
    """RFC 9700 section 4.7: the state is bound to the browser; who was sent somebody's callback links nothing."""
    asked = await scene.begun()
    token = internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    mine = dict(scene.inside.http.cookies)
    for cookies in ({}, {"hub-link": "x" * 43}):
        scene.inside.http.cookies.clear()
        scene.inside.http.cookies.update(cookies)
        assert (await scene.back(state=asked["state"], code="c")).status_code in (403, 404)
    assert (token.called, await scene.links()) == (False, [])
    scene.inside.http.cookies.update(mine)
    assert (await scene.back(state=asked["state"], code="c")).status_code == 200


async def test_an_account_is_linked_for_one_patient_at_a_time(internet: respx.MockRouter, scene: Scene) -> None:
    """Laws 1 and 4: another's tokens are never sealed under the key of who had the account before; that link is ended first."""
    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    assert (await scene.back(state=(await scene.begun())["state"], code="c")).status_code == 200
    links, other = Links(scene.inside.hub.services), await scene.another()
    refused = await other.back(state=(await other.begun())["state"], code="c")
    assert refused.status_code == 403
    assert "linked already" in refused.text
    ((page, link),) = await links.all()
    assert link.patient == f"Patient/{scene.person}"
    ended = await links.write(page, replace(link, ended=True))
    await scene.inside.hub.services.store.commit(Unit(notes=[ended]))
    assert (await other.back(state=(await other.begun())["state"], code="c")).status_code == 200
    ((page, link),) = await links.all()
    assert (link.patient, page.patient) == (f"Patient/{other.person}", links.patient(link))
    assert page.patient == scene.inside.hub.services.blind.patient(other.person)


async def test_an_account_that_is_linked_again_goes_on_where_it_was_left(internet: respx.MockRouter, scene: Scene) -> None:
    """Whether the link before was ended or broken. The page says so beside the date, which is for an account that was not linked."""
    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    first = await scene.inside.http.get(scene.path)
    assert "linked here before" not in first.text
    assert (await scene.back(state=(await scene.begun())["state"], code="c")).status_code == 200
    links = Links(scene.inside.hub.services)
    ((page, link),) = await links.all()
    moved = replace(link, cursor={"since": 1_755_000_000, "until": 1, "offset": 7}, further={}, ended=True)
    await scene.inside.hub.services.store.commit(Unit(notes=[await links.write(page, moved)]))
    following = await invited(scene.inside, scene.account, again=scene)
    shown = await scene.inside.http.get(following.path)
    assert "linked here before" in shown.text
    assert "2025-10-09" in shown.text
    assert (await following.back(state=(await following.begun())["state"], code="c")).status_code == 200
    (link,) = await following.links()
    assert (link.cursor, link.further) == ({"since": 1_755_000_000}, {"heart": {"since": 1_760_000_000}})
    assert (link.ended, link.tokens.refresh) == (False, "refresh-1")


async def test_a_vendor_whose_grant_names_nobody_is_asked_whose_account_it_is(internet: respx.MockRouter, scene: Scene) -> None:
    """Dexcom v3 dataRange: userId is one for each account. Without a name, linking again would be another link beside the first."""
    scene.inside.http._transport.app.state.clouds["dexcom"] = replace(AT, base="https://api.dexcom.eu")  # type: ignore[attr-defined]
    tokens = {"access_token": "access-1", "refresh_token": "refresh-1", "expires_in": 7_200}
    internet.post(f"https://{ADDRESS}/v3/oauth2/token").mock(return_value=httpx.Response(200, json=tokens))
    who = internet.get(f"https://{ADDRESS}/v3/users/self/dataRange")
    who.mock(return_value=httpx.Response(200, json={"recordType": "dataRange", "recordVersion": "3.0", "userId": "5b32"}))
    for round_ in range(2):
        one = await invited(scene.inside, scene.account, again=scene, cloud="dexcom")
        assert (await one.back(state=await state_of(one), code="c")).status_code == 200
        assert who.calls.last.request.headers["authorization"] == "Bearer access-1"
        links = Links(scene.inside.hub.services)
        ((page, link),) = await links.all()
        assert (link.user, link.cursor) == ("5b32", {"from": ["2025-10-09T08:53:20", "2025-10-20T00:00:00"][round_]})
        moved = replace(link, cursor={"from": "2025-10-20T00:00:00"})
        await scene.inside.hub.services.store.commit(Unit(notes=[await links.write(page, moved)]))
    who.mock(return_value=httpx.Response(200, json={}))
    one = await invited(scene.inside, scene.account, again=scene, cloud="dexcom")
    assert (await one.back(state=await state_of(one), code="c")).status_code == 403
    assert len(await scene.links()) == 1


async def state_of(scene: Scene) -> str:
    """Of an invitation whose page and button were opened."""
    page = await scene.inside.http.get(scene.path)
    answer = await scene.inside.http.post("/clouds/link", data=fields(page.text))
    found = re.search(r"state=([A-Za-z0-9_-]{43})", answer.text)
    assert found is not None, answer.text
    return found[1]


async def test_a_client_that_was_revoked_meanwhile_gets_no_link(internet: respx.MockRouter, scene: Scene) -> None:
    """RFC 6749 section 4.1: asked again at the button, and before the code is exchanged, not only when the page was opened."""
    token = internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    page, asked = await scene.inside.http.get(scene.path), await scene.begun()
    await Operator(scene.inside.hub, "tests").revoke_client(scene.account.id)
    states = len(await scene.inside.hub.services.store.notes.of_kind("cloud-state", 10))
    assert (await scene.inside.http.post("/clouds/link", data=fields(page.text))).status_code == 404
    assert len(await scene.inside.hub.services.store.notes.of_kind("cloud-state", 10)) == states
    assert (await scene.back(state=asked["state"], code="c")).status_code == 404
    assert (token.called, await scene.links()) == (False, [])


@pytest.mark.parametrize("changed", [{"csrf": ""}, {"csrf": "0" * 64}])
async def test_a_form_from_elsewhere_begins_nothing(scene: Scene, changed: dict[str, str]) -> None:
    """ASVS 5.0 3.5.1; also where the browser itself says that it comes from another site."""
    page = await scene.inside.http.get(scene.path)
    assert (await scene.inside.http.post("/clouds/link", data={**fields(page.text), **changed})).status_code == 403
    crossing = await scene.inside.http.post("/clouds/link", data=fields(page.text), headers={"Sec-Fetch-Site": "cross-site"})
    assert crossing.status_code == 403


async def test_opening_the_page_changes_nothing(scene: Scene) -> None:
    """Whatever looks at links in messages uses none up."""
    before = await scene.inside.hub.services.store.notes.of_kind("cloud-state", 10)
    for _ in range(2):
        assert (await scene.inside.http.get(scene.path)).status_code == 200
    assert list(await scene.inside.hub.services.store.notes.of_kind("cloud-state", 10)) == list(before) == []


@pytest.mark.parametrize("asked", [{"error": "access_denied"}, {"code": "c", "state": "x" * 43}, {"code": "c"}])
async def test_no_permission_and_an_unknown_state_keep_nothing(scene: Scene, asked: dict[str, str]) -> None:
    await scene.begun()
    assert (await scene.back(**asked)).status_code in (403, 404)
    assert await scene.links() == []
    assert (await scene.inside.http.get(scene.path)).status_code == 200


async def test_a_vendor_that_gives_no_tokens_keeps_nothing_and_the_invitation_stays_good(internet: respx.MockRouter, scene: Scene) -> None:
    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json={"status": 503}))
    asked = await scene.begun()
    assert (await scene.back(state=asked["state"], code="c")).status_code == 403
    assert await scene.links() == []
    internet.post(f"https://{ADDRESS}/v2/oauth2").mock(return_value=httpx.Response(200, json=ANSWER))
    assert (await scene.back(state=asked["state"], code="c")).status_code == 200


@pytest.mark.parametrize("word", ["", "short", "x" * 43, "../../etc/passwd"])
async def test_an_unknown_invitation_is_told_like_one_that_is_over(scene: Scene, word: str) -> None:
    unknown = await scene.inside.http.get("/clouds/link", params={"invitation": word})
    assert unknown.status_code == 404


async def test_the_page_says_nobodys_name_and_is_there_in_both_languages(scene: Scene) -> None:
    for language, button in (("en", "Begin"), ("fr", "Commencer")):
        page = await scene.inside.http.get(f"{scene.path}&lang={language}")
        assert f">{button}</button>" in page.text
        assert "Clinic" in page.text
        assert scene.person not in page.text
        assert page.headers["referrer-policy"] == "no-referrer"


async def test_secrets_lie_sealed_and_the_cookie_is_for_this_host_alone(scene: Scene) -> None:
    """Law 4; RFC 6265 section 4.1.2."""
    page = await scene.inside.http.get(scene.path)
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    asked = await scene.begun()
    notes = [*await scene.inside.hub.services.store.notes.of_kind("cloud-invitation", 10)]
    notes += await scene.inside.hub.services.store.notes.of_kind("cloud-state", 10)
    assert len(notes) == 2
    assert not [word for word in (scene.word, asked["state"], scene.person, "hub-link") if word in str(notes)]
    assert {note.patient for note in notes} == {scene.inside.hub.services.blind.patient(scene.person)}


def test_a_secret_that_cannot_be_read_keeps_no_hub_from_serving(tmp_path: Path) -> None:
    """It may be there for `hub poll` alone, on another machine."""
    (tmp_path / "secret").write_text("s\n")
    there, missing = (
        Settings(data_dir=tmp_path, withings_client_id="hub", withings_secret_file=tmp_path / name) for name in ("secret", "missing")
    )
    assert clouds_of(missing) == {}
    assert clouds_of(there)["withings"].own == Credentials(client_id="hub", client_secret="s")


def test_where_a_vendor_has_pkce_the_challenge_is_that_of_the_verifier() -> None:
    """RFC 7636 section 4.2, appendix B; neither of the two documents it, so neither is sent one."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    url = authorization_url(replace(WITHINGS, consent=replace(WITHINGS.consent, pkce=True)), AT, "https://h/c", "s", verifier)
    asked = {name: one for name, (one,) in parse_qs(urlsplit(url).query).items()}
    assert asked["code_challenge"] == urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    call = WITHINGS.consent.exchanging(AT.base, AT.own, "c", "https://h/c", verifier)
    assert call.form is not None
    assert call.form["code_verifier"] == verifier
    assert "code_challenge" not in authorization_url(WITHINGS, AT, "https://h/c", "s", "")


def test_dexcom_is_asked_for_what_outlasts_the_visit() -> None:
    """https://developer.dexcom.com/docs/dexcom/authentication: offline_access gives a refresh token; nothing says who it is."""
    at = replace(AT, base="https://api.dexcom.eu")
    url = urlsplit(authorization_url(DEXCOM, at, "https://h/c", "s", ""))
    assert (url.netloc, url.path) == ("api.dexcom.eu", "/v3/oauth2/login")
    assert parse_qs(url.query)["scope"] == ["offline_access"]
    tokens, user = DEXCOM.consent.granted(b'{"access_token": "a", "refresh_token": "r", "expires_in": 7200}', 0)
    assert (tokens.refresh, tokens.expires_us, user) == ("r", 7_200_000_000, None)
