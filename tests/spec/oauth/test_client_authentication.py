"""How a client proves itself: one method in a request, the registered one alone.

RFC 6749 sections 2.3 and 5.2, RFC 7617, RFC 8705 section 2. Item 21 of the behaviours to reproduce, and what the kit leaves untested.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus

import pytest
from starlette.requests import Request

from hub.oauth.client import proved_client
from security.oauth.assertion import UNPROVED
from security.oauth.client import token_form
from security.oauth.client_authentication import BASIC_CHALLENGE, Presented, ProvedClient, new_client_secret, prove, secret_hash
from security.oauth.clients import Client
from security.oauth.errors import OAuthError
from security.oauth.jwks import Proves
from tests.spec.oauth.world import JWKS_URI, World, jwk

SECRET, THUMBPRINT = "s3cret-of+the:tests%", "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"
OF_SECRET: Mapping[str, Any] = {"authentication": "client_secret_basic", "secret_hash": secret_hash(SECRET), "jwks": None}
OF_NOTHING: Mapping[str, Any] = {"authentication": "none", "jwks": None, "grants": ("authorization_code",)}
OF_CERTIFICATE: Mapping[str, Any] = {"authentication": "tls_client_auth", "certificate": THUMBPRINT, "jwks": None}


def basic(client_id: str = "client-1", secret: str = SECRET) -> str:
    return f"Basic {b64encode(f'{quote_plus(client_id)}:{quote_plus(secret)}'.encode()).decode()}"


async def proof(world: World, *authorization: str, certificate: str | None = None, **form: str) -> ProvedClient:
    return await prove(Presented(form=form, authorization=authorization, certificate=certificate), world.dependencies())


async def refusal(world: World, *authorization: str, certificate: str | None = None, **form: str) -> OAuthError:
    with pytest.raises(OAuthError) as error:
        await proof(world, *authorization, certificate=certificate, **form)
    return error.value


def assertion_form(world: World, **more: str) -> dict[str, str]:
    return {**token_form(world.assertion()), **more}


async def test_a_secret_is_sent_form_encoded_in_the_basic_scheme(world: World) -> None:
    """RFC 6749 section 2.3.1: both parts are form-encoded before they are joined. Item 21."""
    world.register(**OF_SECRET)
    proved = await proof(world, basic())
    assert (proved.client.client_id, proved.method, proved.kid) == ("client-1", "client_secret_basic", None)
    assert await proof(world, basic().replace("Basic", "bAsIc"), client_id="client-1")


@pytest.mark.parametrize(
    "authorization",
    [
        basic(secret="wrong"),
        basic(secret=SECRET + " "),
        basic(client_id="client-9"),
        f"Basic {b64encode(f'client-1:{SECRET}'.encode()).decode()}",
        "Basic",
        "Basic ?",
        f"Basic {b64encode(b'client-1').decode()}",
        f"Basic {b64encode(b'client-1:').decode()}",
        f"Basic {b64encode(bytes([255, 58, 255])).decode()}",
        "Bearer abc",
        "Digest abc",
    ],
    ids=lambda text: text[:20],
)
async def test_what_is_not_the_secret_is_refused_with_the_scheme_to_use(world: World, authorization: str) -> None:
    """RFC 6749 section 5.2: 401 and WWW-Authenticate for who tried the Authorization header."""
    world.register(**OF_SECRET)
    refused = await refusal(world, authorization)
    assert (refused.error, refused.status) == ("invalid_client", 401)
    assert refused.headers["WWW-Authenticate"] == BASIC_CHALLENGE


async def test_a_public_client_says_who_it_is_and_no_more(world: World) -> None:
    """RFC 6749 section 3.2.1; what binds its code to it is PKCE (RFC 9700 section 2.1.1)."""
    world.register(**OF_NOTHING)
    proved = await proof(world, client_id="client-1")
    assert (proved.client.client_id, proved.method) == ("client-1", "none")
    assert (await refusal(world)).error == "invalid_client"
    assert "WWW-Authenticate" not in (await refusal(world, client_id="client-9")).headers


async def test_a_certificate_proves_the_client_that_registered_it(world: World) -> None:
    """RFC 8705 section 2."""
    world.register(**OF_CERTIFICATE)
    proved = await proof(world, client_id="client-1", certificate=THUMBPRINT)
    assert (proved.method, proved.certificate) == ("tls_client_auth", THUMBPRINT)
    for other in (None, "", THUMBPRINT[:-1], THUMBPRINT.swapcase(), "é"):
        assert (await refusal(world, client_id="client-1", certificate=other)).description == UNPROVED


@pytest.mark.parametrize("registered", [OF_SECRET, OF_NOTHING, OF_CERTIFICATE, {}], ids=["secret", "none", "certificate", "assertion"])
async def test_no_method_stands_for_another(world: World, registered: Mapping[str, Any]) -> None:
    """RFC 8414 token_endpoint_auth_method: a client with a key or a secret is not a public one because somebody leaves it out."""
    client = world.register(**registered)
    tries: dict[str, Any] = {
        "client_secret_basic": (basic(),),
        "none": (),
        "tls_client_auth": (),
        "private_key_jwt": (),
    }
    for method, authorization in tries.items():
        if method == client.authentication:
            continue
        form = assertion_form(world) if method == "private_key_jwt" else {} if authorization else {"client_id": "client-1"}
        certificate = THUMBPRINT if method == "tls_client_auth" and client.authentication != "none" else None
        if method == "tls_client_auth" and client.authentication == "none":
            continue  # a certificate beside a public client's name is no method: its tokens may be bound to it
        assert (await refusal(world, *authorization, certificate=certificate, **form)).error == "invalid_client", method
    assert world.used == {}


async def test_two_methods_at_once_are_refused(world: World) -> None:
    """RFC 6749 section 2.3: the client must not use more than one method in each request."""
    world.register(**OF_SECRET)
    form = assertion_form(world)
    for error in (
        await refusal(world, basic(), **form),
        await refusal(world, basic(), client_assertion_type=form["client_assertion_type"]),
        await refusal(world, basic(), client_secret=SECRET),
        await refusal(world, client_id="client-1", client_secret=SECRET),
        await refusal(world, basic(), basic()),
        await refusal(world, "Basic " + "a" * 3_000),
    ):
        assert (error.error, error.status) == ("invalid_request", 400)
    assert (await refusal(world, basic(), client_id="client-2")).error == "invalid_client"
    assert world.used == {}


@pytest.mark.parametrize("state", [{"pending": True}, {"revoked_us": 1}], ids=str)
@pytest.mark.parametrize("registered", [OF_SECRET, OF_NOTHING, OF_CERTIFICATE, {}], ids=["secret", "none", "certificate", "assertion"])
async def test_a_client_that_is_revoked_or_not_approved_is_as_one_that_is_not_there(
    world: World, registered: Mapping[str, Any], state: Mapping[str, Any]
) -> None:
    """Law 3 of the design, for clients."""
    client = world.register(**{**registered, **state})
    proofs: dict[str, Any] = {
        "client_secret_basic": ((basic(),), {}),
        "none": ((), {"client_id": "client-1"}),
        "tls_client_auth": ((), {"client_id": "client-1", "certificate": THUMBPRINT}),
        "private_key_jwt": ((), assertion_form(world)),
    }
    authorization, form = proofs[client.authentication]
    refused = await refusal(world, *authorization, **form)
    world.clients.clear()
    unknown = await refusal(world, *authorization, **form)
    assert (refused.error, refused.description, refused.headers) == (unknown.error, unknown.description, unknown.headers)
    world.clients["client-1"] = replace(client, pending=False, revoked_us=None)
    assert await proof(world, *authorization, **form)


async def test_a_set_of_keys_at_a_url_is_asked_for_the_key_that_signed(world: World) -> None:
    """SMART: keys at a URL let a client rotate them; a name that the kept set has not is worth another look."""
    world.register(jwks=None, jwks_uri=JWKS_URI)
    world.published[JWKS_URI] = {"keys": [jwk(world.key)]}
    asked: list[tuple[str | None, bool, bool]] = []

    async def fetch(client: Client, kid: str | None, proves: Proves) -> Mapping[str, Any]:
        asked.append((kid, proves({"keys": [jwk(world.key)]}), proves({"keys": []})))
        return await world.fetch_jwks(client, kid, proves)

    form = assertion_form(world)
    await prove(Presented(form=form), replace(world.dependencies(), fetch_jwks=fetch))
    assert asked == [(world.key.thumbprint(), True, False)]


def test_a_new_secret_is_as_long_as_it_should_be_and_is_kept_as_its_hash_alone() -> None:
    """NIST SP 800-63B-4: 256 bits; the registration holds nothing that can be sent."""
    secret, kept = new_client_secret()
    assert len(secret) == 43
    assert kept == secret_hash(secret)
    assert new_client_secret()[0] != secret


@pytest.mark.parametrize("query", ["client_id=client-1", "a=b&client_secret=x", "client%5Fassertion=x", "refresh_token=x", "token=x"])
async def test_nothing_that_proves_a_client_may_stand_in_a_url(world: World, query: str) -> None:
    """RFC 6749 section 2.3.1: must not be included in the request URI."""
    world.register(**OF_NOTHING)

    def request(query: str) -> Request:
        return Request({"type": "http", "method": "POST", "path": "/oauth/token", "query_string": query.encode(), "headers": []})

    assert await proved_client(request("lang=fr"), {"client_id": "client-1"}, world.dependencies())
    with pytest.raises(OAuthError) as error:
        await proved_client(request(query), {"client_id": "client-1"}, world.dependencies())
    assert error.value.error == "invalid_request"
