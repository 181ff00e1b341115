"""A signature beside a batch. https://www.rfc-editor.org/rfc/rfc7797, https://www.rfc-editor.org/rfc/rfc7515#appendix-F; DEVICES 6.5"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from security.detached import sign_detached, signed_detached
from security.oauth.clients import new_client_keys
from security.oauth.jwks import private_key

PEM, JWKS = new_client_keys()
KEY, ALGORITHM = private_key(PEM)
KID = str(JWKS["keys"][0]["kid"])
URL = "/ingest/gatt?device=74-E8"
BODY = b'[{"characteristic": "2A35"}]'


def signed(body: bytes = BODY, url: str = URL) -> str:
    return sign_detached(body, url, KEY, ALGORITHM, KID)


def with_header(token: str, **changed: Any) -> str:
    """Another header under the same signature, or with one of its own where `sign` says so."""
    protected, _, proof = token.split(".")
    header = {**json.loads(urlsafe_b64decode(protected.encode())), **changed}
    return f"{urlsafe_b64encode(json.dumps(header).encode()).decode()}..{proof}"


@given(body=st.binary(max_size=300))
def test_what_was_signed_holds_whatever_the_bytes(body: bytes) -> None:
    assert signed_detached(signed(body), body, URL, JWKS)


def test_the_library_finds_the_same() -> None:
    """A second judge: joserfc's own verification of an unencoded, detached payload."""
    registry = jws.JWSRegistry(algorithms=["ES384"], strict_check_header=False)
    jws.deserialize_compact(signed(), KEY, payload=BODY, registry=registry)


def test_what_the_library_signs_is_taken() -> None:
    registry = jws.JWSRegistry(algorithms=["ES384"], strict_check_header=False)
    header = {"alg": "ES384", "kid": KID, "url": URL, "b64": False, "crit": ["b64"]}
    protected, _, proof = jws.serialize_compact(header, BODY, KEY, registry=registry).split(".")
    assert signed_detached(f"{protected}..{proof}", BODY, URL, JWKS)


WRONG: dict[str, Any] = {
    "another body": lambda: (signed(), BODY + b" ", URL),
    "another device": lambda: (signed(), BODY, "/ingest/gatt?device=OTHER"),
    "another time zone": lambda: (signed(), BODY, f"{URL}&timeZone=Asia/Tokyo"),
    "another adapter": lambda: (signed(), BODY, URL.replace("gatt", "fit")),
    "nothing": lambda: ("", BODY, URL),
    "no JWS": lambda: ("a.b.c", BODY, URL),
    "the payload inside": lambda: (signed().replace("..", ".W10."), BODY, URL),
    "no crit": lambda: (with_header(signed(), crit=[]), BODY, URL),
    "more in crit": lambda: (with_header(signed(), crit=["b64", "exp"]), BODY, URL),
    "encoded": lambda: (with_header(signed(), b64=True), BODY, URL),
    "no algorithm": lambda: (with_header(signed(), alg="none"), BODY, URL),
    "a symmetric algorithm": lambda: (with_header(signed(), alg="HS384"), BODY, URL),
    "a key in the header": lambda: (with_header(signed(), jwk=JWKS["keys"][0]), BODY, URL),
    "an unknown key": lambda: (with_header(signed(), kid="other"), BODY, URL),
    "letters that are none": lambda: ("é..é", BODY, URL),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_else_it_is_does_not_hold(wrong: str) -> None:
    token, body, url = WRONG[wrong]()
    assert not signed_detached(token, body, url, JWKS)


def test_somebody_elses_key_does_not_hold() -> None:
    """Under the same kid: the registered key decides."""
    other = ECKey.generate_key("P-384", private=True)
    assert not signed_detached(sign_detached(BODY, URL, other, "ES384", KID), BODY, URL, JWKS)


@given(token=st.text(max_size=200))
def test_any_text_is_answered(token: str) -> None:
    assert not signed_detached(token, BODY, URL, JWKS)
