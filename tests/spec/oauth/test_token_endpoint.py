"""POST /oauth/token: SMART Backend Services, RFC 6749 sections 4.4 and 5, RFC 7521.

https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html. Items 23, 24 and 46 to 49 of the behaviours to reproduce.
"""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey

from security.oauth.assertion import UNPROVED
from security.oauth.errors import NO_STORE, STATUS, JwksUnavailable, OAuthError
from security.oauth.form import FIELDS_MAX, FORM_MAX_BYTES, MEDIA_TYPE, parse_form
from security.oauth.metadata import token_url
from security.oauth.token_endpoint import issue
from security.scopes import Scopes
from tests.spec.oauth.world import JWKS_URI, NOW_US, TOKEN_URL, World, jwk


async def refused(world: World, **request: Any) -> OAuthError:
    with pytest.raises(OAuthError) as refusal:
        await world.ask(**request)
    return refusal.value


async def test_a_client_that_proves_itself_gets_a_token(either_world: World) -> None:
    """Backend services, access token response: access_token, token_type bearer, expires_in at most 300, scope. Items 23, 49."""
    body = (await either_world.ask(scope="system/*.rs")).body()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert str(body["token_type"]).lower() == "bearer"
    assert isinstance(body["expires_in"], int)
    assert 0 < body["expires_in"] <= 300
    assert body["scope"] == "system/*.rs"


async def test_the_token_carries_client_scope_and_purpose(world: World) -> None:
    """GDPR Art. 5(1)(b): the purpose of use is bound in the token; RFC 9068 for the rest."""
    world.register(purpose="HRESCH")
    response = await world.ask(scope="system/Observation.rs")
    claims = world.read(response.access_token)
    assert (claims.client_id, claims.purpose, claims.scopes) == ("client-1", "HRESCH", Scopes.parse("system/Observation.rs"))
    assert (response.client_id, response.jti) == (claims.client_id, claims.jti)


async def test_no_two_tokens_have_the_same_id(world: World) -> None:
    """RFC 9068 section 2.2: jti is required."""
    first, second = await world.ask(), await world.ask()
    assert first.jti != second.jti


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "unsupported_grant_type"),
        ({"grant_type": "Client_Credentials"}, "unsupported_grant_type"),
        ({"client_assertion_type": None}, "invalid_client"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_client"),
        ({"client_assertion": None}, "invalid_client"),
        ({"client_assertion": "not.a.jwt"}, "invalid_client"),
        ({"client_id": "client-2"}, "invalid_client"),
        ({"client_secret": "s"}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
    ],
    ids=str,
)
async def test_a_request_off_the_form_is_refused_with_the_code_of_its_clause(world: World, form: dict[str, Any], error: str) -> None:
    """RFC 6749 section 5.2. Items 46 and 47."""
    assert await world.ask()
    refusal = await refused(world, **form)
    assert (refusal.error, refusal.status) == (error, STATUS[refusal.error])


async def test_the_client_id_may_be_repeated_in_the_form(world: World) -> None:
    """RFC 7521 section 4.2: client_id is unnecessary, but must identify the same client."""
    assert await world.ask(client_id="client-1")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example.org"},
        {"exp": NOW_US // 1_000_000 + 360},
        {"sub": "client-2"},
        {"jti": None},
        {"header": {"kid": None}},
    ],
    ids=str,
)
async def test_a_bad_assertion_is_invalid_client(world: World, claims: dict[str, Any]) -> None:
    """SMART: authentication failures are invalid_client. Item 48."""
    refusal = await refused(world, assertion=world.assertion(**claims))
    assert (refusal.error, refusal.status) == ("invalid_client", 401)


async def test_an_assertion_serves_once(world: World) -> None:
    """SMART: a jti must not have been seen before for this issuer."""
    assertion = world.assertion(jti="once")
    assert await world.ask(assertion)
    assert "jti" in (await refused(world, assertion=assertion)).description
    assert "jti" in (await refused(world, assertion=world.assertion(jti="once", exp=NOW_US // 1_000_000 + 100))).description


async def test_of_many_at_once_with_one_jti_one_is_served(world: World) -> None:
    """The same under concurrency: the store decides in one step."""
    assertion = world.assertion(jti="once")
    answers = await asyncio.gather(*(world.ask(assertion) for _ in range(8)), return_exceptions=True)
    assert sum(not isinstance(answer, OAuthError) for answer in answers) == 1


async def test_a_jti_is_remembered_until_the_assertion_can_no_longer_be_accepted(world: World) -> None:
    """RFC 7523 section 3, point 7."""
    await world.ask(world.assertion(exp=NOW_US // 1_000_000 + 250))
    assert list(world.used.values()) == [NOW_US + 250_000_000]


async def test_two_clients_may_use_the_same_jti(world: World) -> None:
    """SMART: unique for the issuer."""
    world.clients["client-2"] = replace(world.clients["client-1"], client_id="client-2")
    assert await world.ask(world.assertion(jti="same"))
    assert await world.ask(world.assertion(jti="same", iss="client-2", sub="client-2"))


async def test_a_forged_assertion_uses_up_no_jti(world: World, other_ec_key: ECKey) -> None:
    """Otherwise a stranger could spend the identifiers of a client."""
    await refused(world, assertion=world.assertion(key=other_ec_key, jti="wanted"))
    assert world.used == {}
    assert await world.ask(world.assertion(jti="wanted"))


async def test_a_refused_scope_still_uses_up_the_assertion(world: World) -> None:
    """An assertion serves one request, whatever comes of it."""
    assertion = world.assertion()
    assert (await refused(world, assertion=assertion, scope="openid")).error == "invalid_scope"
    assert (await refused(world, assertion=assertion)).error == "invalid_client"


async def test_a_stranger_learns_nothing_about_who_is_registered(world: World, other_ec_key: ECKey) -> None:
    """Law 3 of the design for clients: unknown, revoked and wrongly signed look the same from outside."""
    forged = await refused(world, assertion=world.assertion(key=other_ec_key))
    unknown = await refused(world, assertion=world.assertion(iss="client-9", sub="client-9"))
    world.register(revoked_us=NOW_US - 1)
    revoked = await refused(world)
    world.register(revoked_us=None, jwks=None, jwks_uri=JWKS_URI)
    unfetched = await refused_by_jwks_url(world)
    assert {(e.error, e.description, e.status) for e in (forged, unknown, revoked, unfetched)} == {("invalid_client", UNPROVED, 401)}


async def refused_by_jwks_url(world: World) -> OAuthError:
    async def unavailable(*_: object) -> dict[str, Any]:
        raise JwksUnavailable("no route")

    dependencies = replace(world.dependencies(), fetch_jwks=unavailable)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": world.assertion(),
        "scope": "system/*.rs",
    }
    with pytest.raises(OAuthError) as refusal:
        await issue(form, dependencies=dependencies)
    return refusal.value


async def test_a_client_with_a_jwks_url_is_checked_against_what_lies_there(world: World, other_ec_key: ECKey) -> None:
    """SMART: both ways of registration must be possible; the URL way lets a client rotate its keys."""
    world.register(jwks=None, jwks_uri=JWKS_URI)
    world.published[JWKS_URI] = {"keys": [jwk(world.key)]}
    assert await world.ask()
    world.published[JWKS_URI] = {"keys": [jwk(other_ec_key)]}
    assert (await refused(world)).description == UNPROVED


@pytest.mark.parametrize(
    ("requested", "registered", "granted"),
    [
        ("system/*.cruds", "system/*.rs", "system/*.rs"),
        ("system/*.read", "system/*.cruds", "system/*.rs"),
        ("system/Observation.rs system/Patient.rs", "system/Observation.rs", "system/Observation.rs"),
        ("system/*.cruds system/AuditEvent.rs", "system/*.cruds system/AuditEvent.rs", "system/*.cruds system/AuditEvent.rs"),
        ("system/Observation.rs", "system/Observation.rs?category=x", "system/Observation.rs?category=x"),
    ],
)
async def test_the_answer_says_which_scope_was_granted(world: World, requested: str, registered: str, granted: str) -> None:
    """RFC 6749 section 3.3: the scope member is there whenever it differs from what was asked."""
    world.register(scopes=registered)
    response = await world.ask(scope=requested)
    assert response.scope == granted
    assert world.read(response.access_token).scopes.text() == granted


@pytest.mark.parametrize(
    ("requested", "registered"),
    [
        ("system/Patient.rs", "system/Observation.rs"),
        ("system/AuditEvent.rs", "system/*.cruds"),
        ("patient/Observation.rs", "patient/Observation.rs system/Observation.rs"),
        ("user/Observation.rs system/Observation.rs", "user/Observation.rs system/Observation.rs"),
        ("openid fhirUser", "system/*.cruds"),
        ("system/Observation", "system/*.cruds"),
        ("system/Observation.rs?code=1", "system/*.cruds"),
        ("system/*.rs?category=x", "system/*.cruds"),
        ("system/Observation.rs system/Patient.rs?category=x", "system/*.cruds"),
    ],
)
async def test_a_scope_that_cannot_be_granted_or_enforced_is_refused(world: World, requested: str, registered: str) -> None:
    """RFC 6749 section 5.2 invalid_scope; SMART: a constraint that the server cannot enforce must not be granted."""
    world.register(scopes=registered)
    refusal = await refused(world, scope=requested)
    assert (refusal.error, refusal.status) == ("invalid_scope", 400)


async def test_a_registered_query_that_can_no_longer_be_enforced_is_refused(world: World) -> None:
    """The same for a query that only the registration carries."""
    world.register(scopes="system/Observation.rs?code=1")
    assert (await refused(world, scope="system/Observation.rs")).error == "invalid_scope"


def test_refusals_have_the_body_and_the_headers_of_the_specification() -> None:
    """RFC 6749 sections 5.1 and 5.2. Item 24."""
    assert OAuthError("invalid_scope", "text").body() == {"error": "invalid_scope", "error_description": "text"}
    assert dict(NO_STORE) == {"Cache-Control": "no-store", "Pragma": "no-cache"}
    assert {error for error, status in STATUS.items() if status == 401} == {"invalid_client"}
    assert set(STATUS.values()) == {400, 401}


@pytest.mark.parametrize("content_type", [MEDIA_TYPE, f"{MEDIA_TYPE}; charset=UTF-8", MEDIA_TYPE.upper()])
def test_a_form_is_read_with_its_escapes(content_type: str) -> None:
    """RFC 6749 appendix B: application/x-www-form-urlencoded, UTF-8."""
    body = b"grant_type=client_credentials&scope=system%2F*.rs+system/Patient.rs%3F_tag%3Da%7Cb&empty="
    assert parse_form(content_type, body) == {
        "grant_type": "client_credentials",
        "scope": "system/*.rs system/Patient.rs?_tag=a|b",
    }


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"grant_type=client_credentials"),
        ("", b"grant_type=client_credentials"),
        (MEDIA_TYPE, b"scope=a&scope=b"),
        (MEDIA_TYPE, b"scope=a&scope="),
        (MEDIA_TYPE, b"scope=a&%73cope=a"),
        (MEDIA_TYPE, b"scope=%ff"),
        (MEDIA_TYPE, b"scope=\xff"),
        (MEDIA_TYPE, b"scope=" + b"x" * FORM_MAX_BYTES),
        (MEDIA_TYPE, b"&".join(b"%d=x" % n for n in range(FIELDS_MAX + 1))),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_a_form_that_can_be_read_in_two_ways_or_not_at_all_is_refused(content_type: str, body: bytes) -> None:
    """RFC 6749 section 3.2: parameters must not be included more than once."""
    with pytest.raises(OAuthError) as refusal:
        parse_form(content_type, body)
    assert refusal.value.error == "invalid_request"


def test_the_audience_of_an_assertion_is_where_it_is_sent() -> None:
    """Guards the set-up of this file: the world's token URL is what the metadata announce."""
    assert token_url("https://hub.example.org") == TOKEN_URL
