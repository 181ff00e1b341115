"""private_key_jwt: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html, RFC 7523, RFC 8725.

Items 22 and 48 of the behaviours to reproduce. Each refusal differs from the accepted request in one point.
"""

import base64
import hmac
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, RSAKey

from security.oauth.assertion import ASSERTION_MAX_CHARS, UNPROVED, VerifiedAssertion, unverified_client_id, verify
from security.oauth.errors import OAuthError
from tests.spec.oauth.world import JWKS_URI, NOW_US, TOKEN_URL, World, base64url, jwk, part, signed

NOW_S = NOW_US // 1_000_000


def checked(world: World, assertion: str, **changes: Any) -> VerifiedAssertion:
    client = world.clients["client-1"]
    given = {"client": client, "jwks": client.jwks, "token_urls": (TOKEN_URL,), "now_us": world.now_us}
    return verify(assertion, **{**given, **changes})


def refused(world: World, assertion: str, **changes: Any) -> str:
    """The description of the refusal."""
    with pytest.raises(OAuthError) as refusal:
        checked(world, assertion, **changes)
    assert (refusal.value.error, refusal.value.status) == ("invalid_client", 401)
    return refusal.value.description


def test_an_assertion_signed_with_a_registered_key_is_accepted(either_world: World) -> None:
    """Authenticating to the token endpoint: RS384 or ES384."""
    verified = checked(either_world, either_world.assertion(jti="j"))
    assert verified == VerifiedAssertion(client_id="client-1", jti="j", exp_us=NOW_US + 300_000_000, kid=either_world.key.thumbprint())


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": [TOKEN_URL]},
        {"aud": ["https://elsewhere.example.org/token", TOKEN_URL]},
        {"exp": NOW_S + 1},
        {"exp": NOW_S + 299.5},
        {"iat": NOW_S, "nbf": NOW_S},
        {"iat": NOW_S + 4},
        {"jti": "x" * 255},
        {"extra": {"nested": [1]}},
    ],
    ids=str,
)
def test_what_the_clauses_leave_open_is_accepted(world: World, claims: dict[str, Any]) -> None:
    """RFC 7519: aud may be a list, NumericDate may have a fraction, nbf and iat may be there, other claims are ignored."""
    assert checked(world, world.assertion(**claims)).client_id == "client-1"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"iss": "client-2"}, "iss and sub"),
        ({"sub": "client-2"}, "iss and sub"),
        ({"iss": None}, "iss and sub"),
        ({"sub": None}, "iss and sub"),
        ({"iss": ["client-1"]}, "iss and sub"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": "https://hub.example.org/oauth/token/"}, "aud"),
        ({"aud": "https://hub.example.org/fhir"}, "aud"),
        ({"aud": ["https://elsewhere.example.org/token"]}, "aud"),
        ({"aud": {"url": TOKEN_URL}}, "aud"),
        ({"aud": 1}, "aud"),
        ({"exp": None}, "exp"),
        ({"exp": NOW_S}, "expired"),
        ({"exp": NOW_S - 1}, "expired"),
        ({"exp": NOW_S + 360}, "ahead"),
        ({"exp": NOW_S + 31_536_000}, "ahead"),
        ({"exp": 1e300}, "ahead"),
        ({"exp": str(NOW_S + 100)}, "number"),
        ({"exp": True}, "number"),
        ({"nbf": NOW_S + 60}, "nbf"),
        ({"nbf": "soon"}, "nbf must be a number"),
        ({"iat": NOW_S + 60}, "iat"),
        ({"jti": None}, "jti"),
        ({"jti": ""}, "jti"),
        ({"jti": 7}, "jti"),
        ({"jti": "x" * 256}, "jti"),
    ],
    ids=str,
)
def test_a_claim_outside_its_clause_is_refused(world: World, claims: dict[str, Any], said: str) -> None:
    """iss = sub = client_id; aud the token URL; exp at most five minutes ahead; jti there; nbf and iat not ahead."""
    assert said in refused(world, world.assertion(**claims))


@pytest.mark.parametrize("typ", ["JWT", "jwt", None])
def test_the_type_jwt_is_accepted_and_may_be_missing(world: World, typ: str | None) -> None:
    """RFC 7519 section 5.1: typ is JWT, in any case, optional."""
    assert checked(world, world.assertion(header={"typ": typ}))


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "JOSE", ""])
def test_a_token_made_for_another_use_is_refused(world: World, typ: str) -> None:
    """RFC 8725 section 3.11: explicit typing against substitution."""
    assert "typ" in refused(world, world.assertion(header={"typ": typ}))


@pytest.mark.parametrize("kid", [None, "", "x" * 513])
def test_the_header_must_name_its_key(world: World, kid: str | None) -> None:
    """SMART: kid is required."""
    assert "kid" in refused(world, world.assertion(header={"kid": kid}))


def test_an_unknown_key_name_is_refused(world: World) -> None:
    """SMART: exactly one key must match kid and kty."""
    assert refused(world, world.assertion(header={"kid": "another"})) == UNPROVED


def test_a_signature_of_another_key_is_refused(world: World, other_ec_key: ECKey) -> None:
    """RFC 7515 section 5.2."""
    assert refused(world, world.assertion(key=other_ec_key)) == UNPROVED


def test_changed_claims_are_refused(world: World) -> None:
    """RFC 7515 section 5.2: the signature covers the payload."""
    header, _, signature = world.assertion().split(".")
    _, payload, _ = world.assertion(sub="client-1", jti="another").split(".")
    assert refused(world, f"{header}.{payload}.{signature}") == UNPROVED


def test_the_algorithm_none_is_refused(world: World) -> None:
    """RFC 8725 section 3.2: no algorithm none."""
    _, payload, signature = world.assertion().split(".")
    none = part({"alg": "none", "typ": "JWT", "kid": world.key.thumbprint()})
    assert "cannot be read" in refused(world, f"{none}.{payload}.")
    assert "alg" in refused(world, f"{none}.{payload}.{signature}")


def test_hmac_with_the_public_key_as_secret_is_refused(either_world: World) -> None:
    """RFC 8725 section 2.1: RS256 to HS256 confusion."""
    secret = either_world.key.as_pem(private=False)
    claims = {"iss": "client-1", "sub": "client-1", "aud": TOKEN_URL, "exp": NOW_S + 60, "jti": "j"}
    for alg in ("HS256", "HS384"):
        content = f"{part({'alg': alg, 'typ': 'JWT', 'kid': either_world.key.thumbprint()})}.{part(claims)}"
        mac = hmac.digest(secret, content.encode(), alg.replace("HS", "sha"))
        assert "alg" in refused(either_world, f"{content}.{base64url(mac)}")


@pytest.mark.parametrize("alg", ["RS256", "RS512", "PS384"])
def test_other_algorithms_of_a_registered_rsa_key_are_refused(world: World, rsa_key: RSAKey, alg: str) -> None:
    """SMART names RS384 and ES384; RFC 8725 section 3.1: an explicit list."""
    world.register(jwks={"keys": [jwk(rsa_key)]})
    header = {"kid": rsa_key.thumbprint()}
    assert checked(world, world.assertion(key=rsa_key, alg="RS384", header=header))
    assert "alg" in refused(world, world.assertion(key=rsa_key, alg=alg, header=header))


def test_es384_is_checked_on_its_own_curve_only(world: World) -> None:
    """RFC 7518 section 3.4: ES384 is P-384 with SHA-384."""
    key = ECKey.generate_key("P-256", private=True)
    world.register(jwks={"keys": [jwk(key)]})
    assert "alg" in refused(world, world.assertion(key=key, alg="ES256", header={"kid": key.thumbprint()}))
    mixed = world.assertion(header={"kid": key.thumbprint()})
    assert refused(world, mixed) == UNPROVED


@pytest.mark.parametrize("member", ["jwk", "x5u", "x5c", "crit", "b64", "zip"])
def test_a_key_or_an_extension_in_the_header_is_refused(world: World, other_ec_key: ECKey, member: str) -> None:
    """RFC 8725 section 3.10 and ASVS 5.0 9.1.3: keys come from the registration, never from the message."""
    brought = {"jwk": jwk(other_ec_key), "x5u": "https://evil.example.org/x", "x5c": ["AA=="], "crit": ["b64"], "b64": True, "zip": "DEF"}
    header = {"alg": "ES384", "typ": "JWT", "kid": other_ec_key.thumbprint(), member: brought[member]}
    claims = {"iss": "client-1", "sub": "client-1", "aud": TOKEN_URL, "exp": NOW_S + 60, "jti": "j"}
    assert "header" in refused(world, signed(header, claims, other_ec_key))


def test_a_header_member_that_is_no_text_is_refused(world: World) -> None:
    """Ours: no structure in the header, so that none has to be understood."""
    assert "string" in refused(world, world.assertion(header={"cty": {"deep": 1}}))


@pytest.mark.parametrize(("registered", "accepted"), [(JWKS_URI, True), ("https://vendor.example.org/other.json", False), (None, False)])
def test_jku_must_be_the_registered_url(world: World, registered: str | None, *, accepted: bool) -> None:
    """SMART: when jku is present, it must equal the JWKS URL given at registration."""
    jwks = world.clients["client-1"].jwks
    world.register(jwks=jwks if registered is None else None, jwks_uri=registered)
    assertion = world.assertion(header={"jku": JWKS_URI})
    if accepted:
        assert checked(world, assertion, jwks=jwks)
    else:
        assert "jku" in refused(world, assertion, jwks=jwks)


def test_two_keys_of_one_name_and_type_are_refused(world: World, other_ec_key: ECKey) -> None:
    """SMART: exactly one key must match; the first of two would let a second one in under its name."""
    twin = {**jwk(other_ec_key), "kid": world.key.thumbprint()}
    good = jwk(world.key)
    assert checked(world, world.assertion(), jwks={"keys": [good]})
    assert refused(world, world.assertion(), jwks={"keys": [good, twin]}) == UNPROVED
    assert refused(world, world.assertion(), jwks={"keys": [good, good]}) == UNPROVED


def test_a_key_of_the_same_name_but_another_type_does_not_disturb(world: World, rsa_key: RSAKey) -> None:
    """SMART: kid and kty together choose the key."""
    twin = {**jwk(rsa_key), "kid": world.key.thumbprint()}
    assert checked(world, world.assertion(), jwks={"keys": [jwk(world.key), twin]})


@pytest.mark.parametrize(
    "members", [{"use": "enc"}, {"alg": "ES256"}, {"key_ops": ["encrypt"]}, {"crv": "P-256"}, {"x": "AAAA"}, {"y": None}, {"x": 5}]
)
def test_a_key_meant_for_something_else_or_damaged_is_refused(world: World, members: dict[str, Any]) -> None:
    """RFC 7517 sections 4.2 to 4.4."""
    assert checked(world, world.assertion(), jwks={"keys": [jwk(world.key, use="sig", alg="ES384")]})
    assert refused(world, world.assertion(), jwks={"keys": [{**jwk(world.key), **members}]}) == UNPROVED


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": {}}, {"keys": []}, {"keys": ["text", 1, None]}], ids=str)
def test_a_set_without_keys_proves_nobody(world: World, jwks: dict[str, Any]) -> None:
    """Silence means no."""
    assert refused(world, world.assertion(), jwks=jwks) == UNPROVED


def test_short_rsa_keys_are_refused_also_when_padded(world: World) -> None:
    """RFC 7518 section 3.3: 2048 bits or more; zero octets in front do not count."""
    with pytest.warns(match="Key size"):
        short = RSAKey.generate_key(1024, private=True)
    padded = base64url(bytes(128) + base64.urlsafe_b64decode(jwk(short)["n"] + "=="))
    header = {"kid": short.thumbprint()}
    for modulus in (jwk(short)["n"], padded):
        jwks = {"keys": [{**jwk(short), "n": modulus}]}
        assert refused(world, world.assertion(key=short, alg="RS384", header=header), jwks=jwks) == UNPROVED


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "a.b", "a.b.c.d", "!!.!!.!!", "é.é.é", "e30.e30.", ".e30.e30", "W10.W10.AAAA", "bnVsbA.bnVsbA.AAAA", "e30.e30.AA=="],
)
def test_what_is_not_a_jwt_is_refused(world: World, text: str) -> None:
    """RFC 7519 section 7.2."""
    assert refused(world, text)


def test_deep_nesting_is_refused_and_nothing_breaks(world: World) -> None:
    """Ours: a bounded size does not bound the depth; the reader must."""
    deep = base64url(b"[" * 3_000)
    header = world.assertion().split(".")[0]
    assert refused(world, f"{header}.{deep}.AAAA")
    assert refused(world, f"{deep}.e30.AAAA")


def test_an_oversize_assertion_is_refused_before_it_is_read(world: World) -> None:
    """CVE-2025-61920 of a neighbour: oversize JOSE. The limit is ASSERTION_MAX_CHARS."""
    assert "longer" in refused(world, world.assertion(extra="x" * ASSERTION_MAX_CHARS))
    assert "longer" in refused(world, "." * (ASSERTION_MAX_CHARS + 1))


def test_the_issuer_can_be_read_to_find_the_registration_but_proves_nothing(world: World, other_ec_key: ECKey) -> None:
    """RFC 7523 section 3: the issuer is claimed until the signature holds."""
    forged = world.assertion(key=other_ec_key)
    assert unverified_client_id(forged) == "client-1"
    assert refused(world, forged) == UNPROVED


@pytest.mark.parametrize("iss", [None, 1, "", ["client-1"], "x" * 256])
def test_an_issuer_that_can_be_no_client_is_refused_before_any_look_up(world: World, iss: object) -> None:
    """Ours: only a text of bounded length reaches the store."""
    with pytest.raises(OAuthError, match="iss"):
        unverified_client_id(world.assertion(iss=iss))


def test_no_description_repeats_what_was_sent(world: World) -> None:
    """RFC 6749 section 5.2; the text may land in logs."""
    canary = 'CANARY"\\'
    for changes in (
        {"iss": canary},
        {"aud": canary},
        {"exp": canary},
        {"jti": [canary]},
        {"header": {"typ": canary}},
        {"header": {"jku": canary}},
    ):
        said = refused(world, world.assertion(**changes))
        assert "CANARY" not in said
        assert said.isascii()
        assert not set(said) & {'"', "\\"}


def test_the_registration_decides_not_the_assertion(world: World) -> None:
    """iss and sub that agree with each other but not with the registration."""
    other = replace(world.clients["client-1"], client_id="client-2")
    assert "iss and sub" in refused(world, world.assertion(), client=other)
