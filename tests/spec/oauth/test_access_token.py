"""Access tokens: RFC 9068 (shape), RFC 8725 (practice), RFC 6750 section 3.1 (one error). Items 50 and 53 from the token's side."""

from dataclasses import replace
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from security.oauth.access_token import TOKEN_MAX_CHARS, InvalidToken, TokenCache, TokenClaims, issue, verify, verify_cached
from security.oauth.compact import peek
from security.oauth.signing_keys import SigningKey, SigningKeys
from security.scopes import Scopes
from tests.spec.oauth.world import FHIR_BASE, ISSUER, NOW_US, World, part, signed, without_none

NOW_S = NOW_US // 1_000_000
GOOD = {
    "iss": ISSUER,
    "aud": FHIR_BASE,
    "sub": "client-1",
    "client_id": "client-1",
    "scope": "system/*.rs",
    "iat": NOW_S,
    "exp": NOW_S + 300,
    "jti": "t-1",
    "purpose_of_use": "TREAT",
}
CLAIMS = TokenClaims(
    client_id="client-1",
    scopes=Scopes.parse("system/*.rs"),
    purpose="TREAT",
    jti="t-1",
    iat_us=NOW_US,
    exp_us=NOW_US + 300_000_000,
)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return SigningKey.generate()


def issued(key: SigningKey, **changes: Any) -> str:
    given = {
        "issuer": ISSUER,
        "audience": FHIR_BASE,
        "client_id": "client-1",
        "scope": "system/*.rs",
        "purpose": "TREAT",
        "jti": "t-1",
        "now_us": NOW_US,
    }
    return issue(key=key, **{**given, **changes})


def forged(key: SigningKey, *, signer: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A token as we make it, but for the given header members and claims (None leaves one out)."""
    members = {"alg": "ES256", "typ": "at+jwt", "kid": key.kid, **(header or {})}
    return signed(without_none(members), without_none({**GOOD, **claims}), signer or key.private)


def read(token: str, key: SigningKey, **changes: Any) -> TokenClaims:
    given = {"keys": SigningKeys(key), "issuer": ISSUER, "audience": FHIR_BASE, "now_us": NOW_US}
    return verify(token, **{**given, **changes})


def test_a_token_has_the_shape_of_the_profile(key: SigningKey) -> None:
    """RFC 9068 section 2: typ at+jwt, kid; iss, exp, aud, sub, client_id, iat, jti, scope."""
    written = peek(issued(key), max_chars=TOKEN_MAX_CHARS)
    assert dict(written.header) == {"typ": "at+jwt", "alg": "ES256", "kid": key.kid}
    assert dict(written.claims) == GOOD


def test_a_token_of_ours_is_accepted(key: SigningKey) -> None:
    """RFC 9068 section 4."""
    assert read(issued(key), key) == CLAIMS
    assert read(forged(key), key) == CLAIMS


@pytest.mark.parametrize(("later_s", "accepted"), [(0, True), (299, True), (299.999999, True), (300, False), (301, False), (86_400, False)])
def test_a_token_lives_five_minutes_to_the_microsecond(key: SigningKey, later_s: float, *, accepted: bool) -> None:
    """Backend services: 300 s at most; RFC 7519 section 4.1.4: not accepted on or after exp."""
    now_us = NOW_US + round(later_s * 1_000_000)
    if accepted:
        assert read(issued(key), key, now_us=now_us)
    else:
        with pytest.raises(InvalidToken):
            read(issued(key), key, now_us=now_us)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example.org"},
        {"iss": None},
        {"aud": "https://elsewhere.example.org/fhir"},
        {"aud": [FHIR_BASE]},
        {"aud": None},
        {"sub": "client-2"},
        {"sub": None},
        {"client_id": None},
        {"client_id": 1},
        {"client_id": ""},
        {"scope": None},
        {"scope": ["system/*.rs"]},
        {"scope": "nonsense"},
        {"exp": None},
        {"exp": NOW_S},
        {"exp": True},
        {"exp": NOW_S + 300.5},
        {"exp": str(NOW_S + 300)},
        {"iat": None},
        {"jti": None},
        {"purpose_of_use": None},
        {"purpose_of_use": ""},
    ],
    ids=str,
)
def test_a_claim_that_we_would_not_write_makes_the_token_invalid(key: SigningKey, claims: dict[str, Any]) -> None:
    """RFC 9068 section 4: iss, aud, exp; silence about scope or purpose means no (GDPR Art. 5(1)(b))."""
    with pytest.raises(InvalidToken):
        read(forged(key, **claims), key)


@pytest.mark.parametrize(
    "header",
    [
        {"typ": "JWT"},
        {"typ": None},
        {"typ": "application/at+jwt"},
        {"kid": None},
        {"kid": "other"},
        {"jwk": {"kty": "EC"}},
        {"crit": ["b64"]},
        {"x5c": "x"},
    ],
    ids=str,
)
def test_a_header_that_we_would_not_write_makes_the_token_invalid(key: SigningKey, header: dict[str, Any]) -> None:
    """RFC 9068 section 4: typ; RFC 8725 sections 3.10 and 3.11."""
    with pytest.raises(InvalidToken):
        read(forged(key, header=header), key)


def test_a_client_assertion_is_no_access_token(world: World, key: SigningKey) -> None:
    """RFC 8725 section 2.8: cross-JWT confusion."""
    with pytest.raises(InvalidToken):
        read(world.assertion(header={"kid": key.kid}), key)


def test_a_signature_of_another_key_makes_the_token_invalid(key: SigningKey) -> None:
    """RFC 7515 section 5.2."""
    with pytest.raises(InvalidToken):
        read(forged(key, signer=SigningKey.generate().private), key)


def test_other_algorithms_make_the_token_invalid(key: SigningKey) -> None:
    """RFC 8725 section 3.1: ES256 and nothing else."""
    none = f"{part({'alg': 'none', 'typ': 'at+jwt', 'kid': key.kid})}.{part(GOOD)}."
    hmac = forged(key, signer=OctKey.import_key("s" * 32), header={"alg": "HS256"})
    other = forged(key, signer=ECKey.generate_key("P-384"), header={"alg": "ES384"})
    for token in (none, none + "AAAA", hmac, other):
        with pytest.raises(InvalidToken):
            read(token, key)


def test_changed_claims_make_the_token_invalid(key: SigningKey) -> None:
    """RFC 7515 section 5.2: the signature covers the payload."""
    header, _, signature = issued(key).split(".")
    with pytest.raises(InvalidToken):
        read(f"{header}.{part({**GOOD, 'scope': 'system/*.cruds'})}.{signature}", key)


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "é", "\ud800", "x" * (TOKEN_MAX_CHARS + 1), "Bearer x"], ids=lambda token: repr(token)[:12]
)
def test_what_is_no_token_is_invalid(key: SigningKey, token: str) -> None:
    """RFC 6750 section 3.1 invalid_token: malformed. Never another error."""
    for check in (
        read,
        lambda text, k: verify_cached(TokenCache(), text, keys=SigningKeys(k), issuer=ISSUER, audience=FHIR_BASE, now_us=NOW_US),
    ):
        with pytest.raises(InvalidToken):
            check(token, key)


def test_all_causes_have_one_text(key: SigningKey) -> None:
    """Ours: who tries tokens learns nothing from the answer."""
    texts = set()
    for token in ("", forged(key, exp=1), forged(key, aud="x"), forged(key, header={"kid": "x"})):
        with pytest.raises(InvalidToken) as refusal:
            read(token, key)
        texts.add(str(refusal.value))
    assert len(texts) == 1


def test_a_signing_key_survives_its_serial_form(key: SigningKey) -> None:
    """The caller seals the PEM; what it opens is the same key."""
    again = SigningKey.from_pem(key.to_pem())
    assert again.kid == key.kid
    assert read(issued(again), key)


@pytest.mark.parametrize(
    "pem",
    [b"", b"no key", ECKey.generate_key("P-384").as_pem(private=True), ECKey.generate_key("P-256").as_pem(private=False)],
    ids=["empty", "text", "P-384", "public"],
)
def test_anything_but_a_private_key_on_p_256_is_refused(pem: bytes) -> None:
    """RFC 7518 section 3.4: ES256 is P-256 with SHA-256."""
    with pytest.raises(ValueError):
        SigningKey.from_pem(pem)


def test_a_key_of_one_kind_is_not_read_as_one_of_the_other(key: SigningKey) -> None:
    """RFC 8725 section 3.1; the key of id_tokens survives its serial form too."""
    identity = SigningKey.generate("RS256")
    assert SigningKey.from_pem(identity.to_pem(), "RS256").kid == identity.kid
    for pem, algorithm in ((identity.to_pem(), "ES256"), (key.to_pem(), "RS256")):
        with pytest.raises(ValueError, match=f"not a private key for {algorithm}"):
            SigningKey.from_pem(pem, algorithm)


def test_the_public_document_holds_public_halves_only(key: SigningKey) -> None:
    """RFC 7517 section 9.3: no private key leaves; SMART OIDC: bare keys, here with kid, use and alg."""
    document = SigningKeys(key, SigningKey.generate()).jwks()
    assert [sorted(entry) for entry in document["keys"]] == [["alg", "crv", "kid", "kty", "use", "x", "y"]] * 2


def test_a_key_for_id_tokens_verifies_no_access_token(key: SigningKey) -> None:
    """RFC 8725 section 3.1: a kid of one kind names nothing of the other."""
    identity = SigningKey.generate("RS256")
    keys = SigningKeys(key, identity=identity)
    assert keys.verifying(identity.kid) is None
    assert keys.verifying(identity.kid, "RS256") is not None
    assert keys.verifying(key.kid, "RS256") is None
    with pytest.raises(InvalidToken):
        read(forged(key, signer=identity.private, header={"alg": "RS256", "kid": identity.kid}), key, keys=keys)


def test_the_text_form_of_a_signing_key_shows_its_name_only(key: SigningKey) -> None:
    """Nothing of a private key reaches a log."""
    assert repr(key) == f"SigningKey(kid={key.kid!r})"


def test_a_token_seen_before_is_known_until_it_expires(key: SigningKey) -> None:
    """The cache honours exp to the microsecond."""
    cache, token = TokenCache(), issued(key)
    assert cache.get(token, NOW_US) is None
    cache.put(token, CLAIMS)
    assert cache.get(token, CLAIMS.exp_us - 1) is CLAIMS
    assert cache.get(token, CLAIMS.exp_us) is None
    assert len(cache) == 0


def test_the_cache_is_bounded_and_keeps_what_was_used_last() -> None:
    """Ours: a flood of tokens cannot grow the memory."""
    cache = TokenCache(maximum=2)
    for name in ("a", "b"):
        cache.put(name, CLAIMS)
    cache.get("a", NOW_US)
    cache.put("c", CLAIMS)
    assert [bool(cache.get(name, NOW_US)) for name in ("a", "b", "c")] == [True, False, True]


def test_a_cached_token_is_the_same_as_a_verified_one_and_a_changed_one_is_not_cached(key: SigningKey) -> None:
    """The key of the cache is the hash of the whole token, signature included."""
    cache, token = TokenCache(), issued(key)
    given = {"keys": SigningKeys(key), "issuer": ISSUER, "audience": FHIR_BASE, "now_us": NOW_US}
    assert verify_cached(cache, token, **given) == verify_cached(cache, token, **given) == CLAIMS
    other = token[:-8] + "AAAAAAAA"
    with pytest.raises(InvalidToken):
        verify_cached(cache, other, **given)
    assert len(cache) == 1


def test_a_cleared_cache_asks_the_keys_again(key: SigningKey) -> None:
    """After a key was withdrawn."""
    cache, token = TokenCache(), issued(key)
    given = {"issuer": ISSUER, "audience": FHIR_BASE, "now_us": NOW_US}
    verify_cached(cache, token, keys=SigningKeys(key), **given)
    cache.clear()
    with pytest.raises(InvalidToken):
        verify_cached(cache, token, keys=SigningKeys(SigningKey.generate()), **given)


def test_verified_claims_cannot_be_changed() -> None:
    """Parse once, then trust the type."""
    assert replace(CLAIMS, purpose="HRESCH") != CLAIMS
    with pytest.raises(AttributeError):
        CLAIMS.purpose = "HRESCH"  # type: ignore[misc]
