"""DPoP proofs, each rule of RFC 9449 section 4.3 broken once; nonces of section 8; what tokens are bound to (RFC 7800, RFC 8705)."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from security.oauth.binding import NotBound, bound_to, may_be_used, must_be_bound, token_type
from security.oauth.client import dpop_proof
from security.oauth.clients import GRANT_CLIENT_CREDENTIALS, GRANT_CODE, App, Client
from security.oauth.dpop import AGE_MAX_S, AHEAD_MAX_S, NONCE_S, PROOF_MAX_CHARS, BadProof, Nonces, Proof, same_url, token_hash, verify
from tests.spec.oauth.world import NOW_US, World, signed, without_none

URL = "https://hub.example.org/oauth/token"
S = 1_000_000
NONCES = Nonces(bytes(32))
KEY = ECKey.generate_key("P-256", private=True)
P384 = ECKey.generate_key("P-384", private=True)


def public(key: Any) -> dict[str, Any]:
    return dict(key.as_dict(private=False))


def proof(*, key: Any = KEY, jwk: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A good proof, but for the given header members and claims (None leaves one out)."""
    members = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public(key) if jwk is None else jwk, **(header or {})}
    content = {"htm": "POST", "htu": URL, "iat": NOW_US // S, "jti": "p-1", **claims}
    return signed(without_none(members), without_none(content), key)


def check(text: str, **changes: Any) -> Proof:
    return verify(text, **{"method": "POST", "url": URL, "now_us": NOW_US, "nonces": NONCES, **changes})


def test_a_good_proof_names_its_key_and_how_long_it_is_to_be_remembered() -> None:
    """Sections 4.3 and 11.1."""
    found = check(proof())
    assert found.jkt == KEY.thumbprint()
    assert found.exp_us >= NOW_US + AGE_MAX_S * S


def test_the_proof_of_the_specification_is_read_as_the_specification_reads_it() -> None:
    """Section 4.1 and section 6.1 (figure 8): the example's key has this thumbprint."""
    example = (
        "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCR"
        "nMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwia"
        "HRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLv"
        "qRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
    )
    found = check(example, url="https://server.example.com/token", now_us=1_562_262_616 * S)
    assert found.jkt == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.mark.parametrize(
    ("alg", "key"), [("ES256", KEY), ("ES384", P384), ("RS256", RSAKey.generate_key(2048, private=True))], ids=["ES256", "ES384", "RS256"]
)
def test_the_announced_algorithms_are_taken(alg: str, key: Any) -> None:
    """Section 5.1, dpop_signing_alg_values_supported."""
    assert check(proof(key=key, header={"alg": alg})).jkt == key.thumbprint()


def without_chance(header: dict[str, Any]) -> str:
    """A name that is the same in every process: the keys are made anew in each, and a run on several wants the same tests in all."""
    name = str(header)
    for key, curve in ((KEY, "P-256"), (P384, "P-384")):
        for part in ("x", "y"):
            name = name.replace(str(public(key)[part]), f"{part} of {curve}")
    return name


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": None},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "ES384"},
        {"alg": "RS256"},
        {"alg": None},
        {"jwk": None},
        {"jwk": "text"},
        {"jwk": []},
        {"jwk": {"kty": "EC"}},
        {"jwk": {"kty": "oct", "k": "AAAA"}},
        pytest.param({"jwk": {**public(KEY), "x": 5}}, id="a coordinate that is a number"),
        pytest.param({"jwk": {**public(KEY), "d": "AAAA"}}, id="a private key"),
        pytest.param({"jwk": public(P384)}, id="another curve"),
        {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
        {"kid": 5},
        {"jku": "https://evil.example/jwks", "x5u": "https://evil.example"},
        {"x5c": ["AAAA"]},
        {"crit": ["b64"], "b64": False},
    ],
    ids=without_chance,
)
def test_a_header_that_breaks_a_rule_is_refused(header: dict[str, Any]) -> None:
    """Section 4.2; RFC 8725."""
    members = {"typ": "dpop+jwt", "alg": "ES256", "jwk": public(KEY), **header}
    content = f"{encoded(without_none(members))}.{encoded({'htm': 'POST', 'htu': URL, 'iat': NOW_US // S, 'jti': 'p'})}"
    with pytest.raises(BadProof):
        check(f"{content}.{signature(content)}")


def encoded(members: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()


def signature(content: str) -> str:
    """By the real key, whatever the header says."""
    return signed({"alg": "ES256"}, {"of": content}, KEY).rpartition(".")[2]


def test_the_public_key_as_the_secret_of_an_hmac_is_refused() -> None:
    """RFC 8725 section 2.1: algorithm confusion."""
    secret = OctKey.import_key(json.dumps(public(KEY)).encode())
    with pytest.raises(BadProof, match="alg"):
        check(proof(key=secret, jwk=public(KEY), header={"alg": "HS256"}))


def test_a_signature_of_another_key_is_refused() -> None:
    """Section 4.3 point 6."""
    other = ECKey.generate_key("P-256", private=True)
    with pytest.raises(BadProof, match="signature"):
        check(proof(key=other, jwk=public(KEY)))


@pytest.mark.parametrize(
    "claims",
    [
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": None},
        {"htu": "https://hub.example.org/oauth/par"},
        {"htu": "https://other.example.org/oauth/token"},
        {"htu": "http://hub.example.org/oauth/token"},
        {"htu": "https://hub.example.org:8443/oauth/token"},
        {"htu": "https://hub.example.org@evil.example/oauth/token"},
        {"htu": "https://hub.example.org/oauth/token/"},
        {"htu": "https://hub.example.org:x/oauth/token"},
        {"htu": None},
        {"htu": 5},
        {"iat": None},
        {"iat": "now"},
        {"iat": True},
        {"iat": NOW_US // S - AGE_MAX_S - 1},
        {"iat": NOW_US // S + AHEAD_MAX_S + 1},
        {"jti": None},
        {"jti": ""},
        {"jti": 5},
        {"jti": "x" * 256},
        {"nonce": "mine"},
        {"nonce": 5},
    ],
    ids=str,
)
def test_a_claim_that_breaks_a_rule_is_refused(claims: dict[str, Any]) -> None:
    """Section 4.3 points 3 and 8 to 11."""
    with pytest.raises(BadProof):
        check(proof(**claims))


@pytest.mark.parametrize("iat", [NOW_US // S - AGE_MAX_S, NOW_US // S + AHEAD_MAX_S])
def test_a_clock_that_is_a_little_off_does_no_harm(iat: int) -> None:
    """Section 11.1."""
    assert check(proof(iat=iat))


def test_a_long_proof_is_refused_before_it_is_read() -> None:
    """Ours: whoever proves nothing yet costs little."""
    with pytest.raises(BadProof, match="longer"):
        check(proof(more="x" * PROOF_MAX_CHARS))


def test_at_a_resource_the_proof_is_made_for_the_very_token() -> None:
    """Section 4.3 point 12: ath."""
    assert check(proof(ath=token_hash("t-1")), token="t-1")
    for ath in (None, token_hash("t-2"), "t-1"):
        with pytest.raises(BadProof, match="ath"):
            check(proof(ath=ath), token="t-1")


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ("HTTPS://HUB.example.org/fhir/Patient", True),
        ("https://hub.example.org:443/fhir/Patient", True),
        ("https://hub.example.org/fhir/%50atient", True),
        ("https://hub.example.org/fhir/Patient?name=x#y", True),
        ("https://hub.example.org/fhir%2FPatient", False),
        ("https://hub.example.org/FHIR/Patient", False),
        ("https://hub.example.org./fhir/Patient", False),
    ],
)
def test_urls_are_compared_after_their_normalisation(one: str, *, same: bool) -> None:
    """Section 4.3 point 9; RFC 3986 sections 6.2.2, 6.2.3."""
    assert same_url(one, "https://hub.example.org/fhir/Patient") is same


def test_the_same_jti_of_two_keys_is_two_proofs_and_of_one_key_one() -> None:
    """Section 11.1: remembered under a name that no assertion's jti shares."""
    other = ECKey.generate_key("P-256", private=True)
    assert check(proof()).key == check(proof(iat=NOW_US // S - 1)).key
    assert len({check(proof()).key, check(proof(key=other)).key, check(proof(jti="p-2")).key}) == 3


def test_a_nonce_is_good_for_a_while_and_on_every_process() -> None:
    """Section 8."""
    asked = Nonces(bytes(32), required=True)
    nonce = Nonces(bytes(32)).current(NOW_US)
    for later_s in (0, NONCE_S):
        assert check(proof(nonce=nonce, iat=NOW_US // S + later_s), nonces=asked, now_us=NOW_US + later_s * S)
    for refused in (None, Nonces(b"x" * 32).current(NOW_US), asked.current(NOW_US - 3 * NONCE_S * S)):
        with pytest.raises(BadProof) as caught:
            check(proof(nonce=refused), nonces=asked)
        assert caught.value.nonce


def test_the_clients_own_side_makes_good_proofs() -> None:
    """hub token --dpop, hub ingest --dpop."""
    made = dpop_proof(KEY, "POST", URL, NOW_US, "p-9", token="t", nonce=NONCES.current(NOW_US))
    assert check(made, token="t").jkt == KEY.thumbprint()


def client(world: World, **changes: Any) -> Client:
    return replace(world.clients["client-1"], **changes)


def test_tokens_are_bound_to_what_the_registration_asks_for(world: World) -> None:
    """RFC 9449 section 5.2 (dpop_bound_access_tokens), RFC 8705 section 3.4."""
    assert bound_to(client(world), jkt=None, certificate="c", production=False) == {}
    assert bound_to(client(world), jkt="k", certificate="c", production=False) == {"jkt": "k"}
    assert bound_to(client(world, binding="mtls"), jkt=None, certificate="c", production=False) == {"x5t#S256": "c"}
    assert bound_to(client(world, binding="mtls", certificate="c"), jkt="k", certificate="c", production=True) == {
        "jkt": "k",
        "x5t#S256": "c",
    }
    for wanted, shown in ((None, "k"), ("c", "k"), ("c", None)):
        if wanted is None:
            with pytest.raises(NotBound, match="DPoP"):
                bound_to(client(world, binding="dpop"), jkt=None, certificate=shown, production=False)
        else:
            with pytest.raises(NotBound, match="certificate"):
                bound_to(client(world, binding="mtls", certificate=wanted), jkt="k", certificate=shown, production=False)


@pytest.mark.parametrize(
    ("changes", "must"),
    [
        ({}, True),
        ({"grants": (GRANT_CODE,), "app": App(), "scopes": "patient/*.rs"}, False),
        ({"grants": (GRANT_CODE,), "app": App(), "scopes": "user/AuditEvent.rs"}, True),
        ({"grants": (GRANT_CODE,), "app": App(), "scopes": "patient/*.rs", "purpose": "BTG"}, True),
        ({"grants": (GRANT_CODE, GRANT_CLIENT_CREDENTIALS), "app": App(), "scopes": "patient/*.rs"}, True),
    ],
    ids=["system", "app", "compliance", "break-glass", "both"],
)
def test_in_production_whoever_acts_without_a_person_or_reads_the_log_or_breaks_the_glass_is_bound(
    world: World, changes: dict[str, Any], *, must: bool
) -> None:
    """SECURITY 1.5: sender constraint for system clients, compliance officers, break-glass and exports."""
    one = client(world, **changes)
    assert must_be_bound(one, production=True) is must
    assert not must_be_bound(one, production=False)
    assert may_be_used(one, {}, production=True) is not must
    assert may_be_used(one, {"jkt": "k"}, production=True)
    if must:
        with pytest.raises(NotBound, match="registered without"):
            bound_to(one, jkt=None, certificate="c", production=True)


def test_a_token_given_before_the_registration_asked_for_more_is_good_no_longer(world: World) -> None:
    """Ours: what is registered holds with the next request."""
    assert not may_be_used(client(world, binding="dpop"), {}, production=False)
    assert not may_be_used(client(world, binding="dpop"), {"x5t#S256": "c"}, production=False)
    assert not may_be_used(client(world, binding="mtls"), {"jkt": "k"}, production=False)
    assert may_be_used(client(world, binding="mtls"), {"x5t#S256": "c"}, production=False)


def test_the_type_of_a_token_says_how_it_is_sent() -> None:
    """RFC 9449 section 5: token_type DPoP; RFC 8705: Bearer."""
    assert [token_type(cnf) for cnf in ({}, {"x5t#S256": "c"}, {"jkt": "k"})] == ["Bearer", "Bearer", "DPoP"]
