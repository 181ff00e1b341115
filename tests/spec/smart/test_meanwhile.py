"""What changes while a request waits, or at the same moment, holds for what comes of it. OWASP ASVS 5.0 8.3.2, 15.4.2."""

from dataclasses import replace

import httpx
import pytest

from hub.authorizations import Authorizations
from hub.errors import FhirError
from hub.operator import Operator
from hub.people.roster import over
from hub.store.protocol import Conflict, Unit
from security.oauth.clients import Client
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.resources import patient
from tests.support.smart import answer_in, signed_in_as, smart_app

SCOPE = "launch/patient openid offline_access patient/*.rs"
pytestmark = pytest.mark.database


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
    ending = backstage.run(over(services, ana.account.id))
    tokens = app.redeem(answer_in(app.allowed(ana, app.waiting()))["code"]).json()
    with pytest.raises(Conflict):
        backstage.run(services.store.commit(Unit(notes=ending)))
    backstage.run(services.store.commit(Unit(notes=backstage.run(over(services, ana.account.id)))))
    assert app.get("/oauth/userinfo", tokens["access_token"]).status_code == 401


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
    backstage.run(services.store.commit(Unit(notes=backstage.run(over(services, ana.account.id)))))
    assert app.get("/oauth/userinfo", tokens["access_token"]).status_code == 401
