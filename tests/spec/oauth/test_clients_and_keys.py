"""Registration of clients and their keys (SMART, client-confidential-asymmetric; RFC 7517, RFC 7638), and the client's own side."""

from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import ECKey, RSAKey

from security.oauth.assertion import verify
from security.oauth.client import ASSERTION_LIFETIME_S, client_assertion, token_form
from security.oauth.clients import Client, new_client_keys
from security.oauth.jwks import KEYS_MAX, registrable
from security.scopes import Scopes
from tests.spec.oauth.world import JWKS_URI, NOW_US, TOKEN_URL, World, base64url, jwk, world_of


def test_a_client_survives_its_document(world: World) -> None:
    """What the store gives back is what was registered."""
    client = world.clients["client-1"]
    assert Client.from_document(client.to_document()) == client
    assert Client.from_document({"_id": "x", **client.to_document()}) == client


@pytest.mark.parametrize("field", ["scopes", "purpose", "consent_default", "recorder", "importer", "jwks"])
def test_a_document_without_a_field_is_refused(world: World, field: str) -> None:
    """Silence means no: no permission comes from a default."""
    document = world.clients["client-1"].to_document()
    del document[field]
    with pytest.raises(TypeError):
        Client.from_document(document)


def test_who_was_registered_before_there_were_administrators_is_none(world: World) -> None:
    """Silence means no."""
    document = replace(world.clients["client-1"], administrator=True).to_document()
    assert Client.from_document(document).administrator
    del document["administrator"]
    assert not Client.from_document(document).administrator


@pytest.mark.parametrize("changes", [{"jwks": None}, {"jwks_uri": JWKS_URI}])
def test_a_client_has_its_keys_in_one_place(world: World, changes: dict[str, Any]) -> None:
    """SMART: JWKS inline or by URL; two places could disagree."""
    with pytest.raises(ValueError, match="exactly one"):
        replace(world.clients["client-1"], **changes)


def test_the_registration_reads_as_a_set_of_scopes(world: World) -> None:
    """SMART scopes v2: the registration is what a request is narrowed to."""
    assert world.clients["client-1"].granted == Scopes.parse("system/*.*")


def test_new_keys_serve_at_once() -> None:
    """hub client add makes the keys, hub token uses them: kid is the thumbprint of RFC 7638."""
    pem, jwks = new_client_keys()
    assertion = client_assertion("client-1", pem, TOKEN_URL, NOW_US, "jti-1")
    client = replace(world_of(ECKey.generate_key("P-384")).clients["client-1"], jwks=jwks)
    verified = verify(assertion, client=client, jwks=jwks, token_urls=(TOKEN_URL,), now_us=NOW_US)
    assert verified.exp_us == NOW_US + ASSERTION_LIFETIME_S * 1_000_000


def test_new_keys_are_p_384_and_only_the_public_half_is_in_the_set() -> None:
    """SMART: ES384; RFC 7517 section 9.3."""
    pem, jwks = new_client_keys()
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    (public,) = jwks["keys"]
    assert sorted(public) == ["alg", "crv", "kid", "kty", "use", "x", "y"]
    assert (public["alg"], public["crv"]) == ("ES384", "P-384")
    assert public["kid"] == ECKey.import_key(pem).thumbprint()
    assert registrable(jwks) == jwks


async def test_the_clients_own_side_gets_a_token(either_world: World) -> None:
    """hub token: the whole way, with each kind of key."""
    pem = either_world.key.as_pem(private=True)
    assertion = client_assertion("client-1", pem, TOKEN_URL, NOW_US, "jti-1")
    response = await either_world.ask(**token_form(assertion))
    assert response.scope == "system/*.cruds"


def test_a_client_with_a_name_of_its_own_for_the_key_can_say_so(world: World) -> None:
    """RFC 7517 section 4.5: kid is the owner's choice."""
    jwks = {"keys": [{**jwk(world.key), "kid": "mine"}]}
    assertion = client_assertion("client-1", world.key.as_pem(private=True), TOKEN_URL, NOW_US, "j", kid="mine")
    assert verify(assertion, client=world.clients["client-1"], jwks=jwks, token_urls=(TOKEN_URL,), now_us=NOW_US)


@pytest.mark.parametrize(
    "pem",
    [
        b"nothing",
        ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")),
        ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        rsa.generate_private_key(65_537, 1_024).private_bytes(  # noqa: S505 (weak on purpose)
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        ),
    ],
    ids=["no key", "P-256", "encrypted", "Ed25519", "RSA 1024"],
)
def test_a_key_file_that_cannot_serve_is_refused_with_a_reason(pem: bytes) -> None:
    """The command line shows the text of the ValueError."""
    with pytest.raises(ValueError):
        client_assertion("client-1", pem, TOKEN_URL, NOW_US, "jti-1")


def test_keys_of_both_kinds_may_be_registered(ec_key: ECKey, rsa_key: RSAKey) -> None:
    """SMART: RS384 and ES384."""
    document = {"keys": [jwk(ec_key), jwk(rsa_key)]}
    assert registrable(document) == document
    assert registrable({**document, "note": "dropped"}) == document


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"keys": {}},
        {"keys": []},
        {"keys": ["x"]},
        {"keys": [{"kty": "EC"}]},
        {"keys": [{"kid": "a", "kty": "OKP"}]},
        {"keys": [{"kid": "a"}]},
    ],
    ids=str,
)
def test_what_is_no_key_set_is_refused(document: object) -> None:
    """RFC 7517 section 5."""
    with pytest.raises(ValueError):
        registrable(document)


@pytest.mark.parametrize(
    "members",
    [
        {"kid": None},
        {"kid": ""},
        {"kid": 5},
        {"d": "AAAA"},
        {"k": "AAAA"},
        {"crv": "P-256"},
        {"crv": "P-0"},
        {"x": None},
        {"x": "AAAA"},
        {"use": "enc"},
        {"alg": "ES256"},
        {"key_ops": ["sign"]},
        {"key_ops": None},
        {"key_ops": 5},
        {"note": {"of": "nobody"}},
        {"x5c": [["nested"]]},
    ],
    ids=str,
)
def test_a_key_that_could_not_be_used_is_refused_at_registration(ec_key: ECKey, members: dict[str, Any]) -> None:
    """Better now than at the first token; a private or symmetric key is never taken."""
    with pytest.raises(ValueError):
        registrable({"keys": [{**jwk(ec_key), **members}]})


def test_a_key_on_another_curve_is_refused_at_registration() -> None:
    """RFC 7518 section 3.4: ES384 is P-384."""
    with pytest.raises(ValueError, match="P-384"):
        registrable({"keys": [jwk(ECKey.generate_key("P-256"))]})


def test_two_keys_of_one_name_are_refused_at_registration(ec_key: ECKey, other_ec_key: ECKey) -> None:
    """SMART: exactly one key must match."""
    twin = {**jwk(other_ec_key), "kid": ec_key.thumbprint()}
    assert registrable({"keys": [jwk(ec_key), jwk(other_ec_key)]})
    with pytest.raises(ValueError, match="same kid"):
        registrable({"keys": [jwk(ec_key), twin]})


def test_the_number_of_registered_keys_is_bounded(ec_key: ECKey) -> None:
    """Ours: KEYS_MAX."""
    keys = [{**jwk(ec_key), "kid": str(n)} for n in range(KEYS_MAX + 1)]
    assert registrable({"keys": keys[:-1]})
    with pytest.raises(ValueError, match="1 to"):
        registrable({"keys": keys})


def test_rsa_keys_have_a_least_and_a_greatest_size(rsa_key: RSAKey) -> None:
    """RFC 7518 section 3.3: 2048 bits or more; ours: not so many that a check becomes a burden."""
    for bits in (2_047, 8_193):
        modulus = base64url(((1 << bits) - 1).to_bytes((bits + 7) // 8, "big"))
        with pytest.raises(ValueError, match="RSA keys have"):
            registrable({"keys": [{**jwk(rsa_key), "n": modulus}]})
