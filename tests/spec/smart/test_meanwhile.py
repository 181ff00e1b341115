"""What changes while a request waits, or at the same moment, holds for what comes of it. OWASP ASVS 5.0 8.3.2, 15.4.2."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import httpx
import pytest

from hub.authorizations import Authorizations
from hub.errors import FhirError
from hub.operator import Operator
from hub.people.roster import over
from hub.people.sessions import SignedIn, ended, signed_in
from hub.people.visit import COOKIE
from hub.recording import Recording, RequestFacts
from hub.store.protocol import Conflict, NoteWrite, Unit
from security.browser_session import form_token
from security.oauth.clients import Client
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import patient
from tests.support.signing_in import Someone, session_of
from tests.support.smart import answer_in, signed_in_as, smart_app

SCOPE = "launch/patient openid offline_access patient/*.rs"
pytestmark = pytest.mark.database


def all_over(backstage: Backstage, signed: SignedIn) -> tuple[NoteWrite, ...]:
    """What an operator commits who ends the account."""
    services = backstage.hub.services
    facts = RequestFacts(request_id=services.new_id(), interaction="account-change", user="tests")
    recording = Recording("account-change", None, facts, services)
    return backstage.run(over(services, signed.account.id, recording, basis="operator")).notes


def test_an_address_that_is_taken_away_while_the_person_is_asked_is_sent_nothing(
    http: httpx.Client, backstage: Backstage, ehr: Caller
) -> None:
    """RFC 6749 section 4.1.2.1: neither a code nor an error goes to an address that is not registered."""
    app = smart_app(http, backstage, SCOPE)
    ana = signed_in_as(backstage, "patient", f"Patient/{ehr.create(patient())['id']}")
    secret = app.waiting()

    def elsewhere(client: Client) -> Client:
        assert client.app is not None
        return replace(client, app=replace(client.app, redirect_uris=("https://other.example/callback",)))

    backstage.run(Operator(backstage.hub, "tests").change_client("client-change", app.id, elsewhere))
    for answer in (app.allowed, app.refused):
        with pytest.raises(FhirError) as refused:
            answer(ana, secret)
        assert refused.value.code == "not-found"


def test_what_a_person_allows_at_the_moment_the_account_is_ended_is_not_overlooked(
    http: httpx.Client, backstage: Backstage, ehr: Caller
) -> None:
    """Whoever ends the account lists what it allowed; what begins between the list and the commit meets it, and one is done anew."""
    app = smart_app(http, backstage, SCOPE)
    ana = signed_in_as(backstage, "patient", f"Patient/{ehr.create(patient())['id']}")
    services = backstage.hub.services
    ending = all_over(backstage, ana)
    tokens = app.redeem(answer_in(app.allowed(ana, app.waiting()))["code"]).json()
    with pytest.raises(Conflict):
        backstage.run(services.store.commit(Unit(notes=ending)))
    backstage.run(services.store.commit(Unit(notes=all_over(backstage, ana))))
    assert app.get("/oauth/userinfo", tokens["access_token"]).status_code == 401


def test_what_a_person_allows_after_the_session_was_ended_is_nothing(http: httpx.Client, backstage: Backstage, ehr: Caller) -> None:
    """OWASP ASVS 5.0 7.4: of a yes that was on its way, at whatever moment the session ended with what apps may do."""
    app = smart_app(http, backstage, SCOPE)
    ana = signed_in_as(backstage, "patient", f"Patient/{ehr.create(patient())['id']}")
    secret, services = app.waiting(), backstage.hub.services
    backstage.run(services.store.commit(Unit(notes=(backstage.run(ended(services, ana)),))))
    with pytest.raises(FhirError) as refused:
        app.allowed(ana, secret)
    assert refused.value.code == "not-found"
    assert backstage.run(Authorizations(services).of_account(ana.account.id)) == []


def test_a_form_that_is_still_coming_when_its_session_ends_does_nothing(http: httpx.Client, backstage: Backstage) -> None:
    """It takes as long as its sender likes: somebody who is thrown out meanwhile is out, whatever was looked up when it began."""
    ana = signed_in_as(backstage, "compliance")
    other, services = session_of(backstage, Someone(account=ana.account)), backstage.hub.services
    form = urlencode({"csrf": form_token(ana.cookie), "act": "end-others"}).encode()

    def slowly() -> Iterator[bytes]:
        yield form[:10]
        backstage.run(services.store.commit(Unit(notes=(backstage.run(ended(services, ana)),))))
        yield form[10:]

    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": f"{COOKIE.name(str(http.base_url))}={ana.cookie}"}
    answer = http.post("/account/security", content=slowly(), headers=headers)
    assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/account/sign-in")
    assert backstage.run(signed_in(services, other.cookie)) is not None


def test_what_is_over_does_not_make_the_next_longer_and_what_holds_stays_listed(
    http: httpx.Client, backstage: Backstage, ehr: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OWASP ASVS 5.0 10.7.3, 15.2.2: of what has ended the latest are shown; nothing that goes on is left out of what the account ends."""
    monkeypatch.setattr("hub.authorizations.OVER_SHOWN_MAX", 2)
    app = smart_app(http, backstage, SCOPE)
    ana = signed_in_as(backstage, "patient", f"Patient/{ehr.create(patient())['id']}")
    kept, services = Authorizations(backstage.hub.services), backstage.hub.services

    def listed() -> list[str]:
        return [one.authorization.id for one in backstage.run(kept.of_account(ana.account.id))]

    tokens = app.tokens(ana)
    (first,) = listed()
    for _ in range(4):
        app.allowed(ana, app.waiting())
        (latest,) = backstage.run(kept.of_account(ana.account.id))[:1]
        backstage.run(services.store.commit(Unit(notes=(backstage.run(kept.ended(latest)),))))
    app.allowed(ana, app.waiting())
    assert len(listed()) == 4  # one that goes on, two that are over, one that has begun
    assert first in listed()
    backstage.run(services.store.commit(Unit(notes=all_over(backstage, ana))))
    assert app.get("/oauth/userinfo", tokens["access_token"]).status_code == 401
