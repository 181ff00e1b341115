"""id_token: https://openid.net/specs/openid-connect-core-1_0.html#IDToken, SMART App Launch 2.2, identity data. Items 34 to 37."""

from typing import Any

from security.oauth.authorization import Authorization
from security.oauth.compact import peek, signature_holds
from security.oauth.id_token import at_hash, issue
from security.oauth.person import Person
from security.oauth.signing_keys import IDENTITY, SigningKey
from tests.spec.oauth.world import FHIR_BASE, ISSUER, NOW_US

KEY = SigningKey.generate(IDENTITY)
WHO = Person(account="account-1", role="practitioner", fhir_user="Practitioner/p1", organization="Organization/o1")


def authorization(**changes: Any) -> Authorization:
    given = {
        "id": "authorization-1",
        "client_id": "app-1",
        "person": WHO,
        "scope": "fhirUser openid",
        "purpose": "TREAT",
        "offline": False,
        "created_us": NOW_US,
        "expires_us": NOW_US + 3_600_000_000,
        "auth_us": NOW_US - 60_000_000,
        "acr": "2fa",
        "amr": ("pwd", "otp"),
        "nonce": "n-1",
    }
    return Authorization(**{**given, **changes})


def made(context: frozenset[str] = frozenset({"openid", "fhirUser"}), **changes: Any) -> str:
    return issue(
        key=KEY,
        issuer=ISSUER,
        fhir_base=FHIR_BASE,
        authorization=authorization(**changes),
        context=context,
        access_token="access",
        now_us=NOW_US,
    )


def claims(token: str) -> Any:
    return peek(token, max_chars=8_192).claims


def test_it_is_signed_with_rs256_and_names_its_key() -> None:
    """SMART: RS256; OpenID Connect Core section 10.1: kid names the key."""
    token = made()
    header = peek(token, max_chars=8_192).header
    assert (header["alg"], header["kid"]) == ("RS256", KEY.kid)
    assert signature_holds(token, KEY.public, "RS256")
    assert not signature_holds(token, SigningKey.generate(IDENTITY).public, "RS256")


def test_it_says_who_signed_in_for_whom_when_and_how() -> None:
    """OpenID Connect Core section 2: iss, sub of at most 255 characters, aud, exp, iat, auth_time, nonce, acr, amr."""
    said = claims(made())
    assert (said["iss"], said["aud"], said["sub"]) == (ISSUER, "app-1", WHO.account)
    assert (said["auth_time"], said["nonce"], said["acr"], said["amr"]) == (NOW_US // 1_000_000 - 60, "n-1", "2fa", ["pwd", "otp"])
    assert said["iat"] < said["exp"]
    assert said["at_hash"] == at_hash("access")


def test_without_a_nonce_in_the_request_there_is_none_in_the_token() -> None:
    """OpenID Connect Core section 2: the nonce is passed through unmodified; nothing is made up."""
    assert not {"nonce", "acr", "amr"} & claims(made(nonce=None, acr=None, amr=())).keys()


def test_fhir_user_is_an_absolute_url() -> None:
    """SMART: fhirUser is the URL of a Patient, Practitioner, RelatedPerson or Person that can be read."""
    assert claims(made())["fhirUser"] == f"{FHIR_BASE}/Practitioner/p1"


def test_fhir_user_is_said_only_to_whom_it_was_allowed() -> None:
    """SMART: the claim goes with the scope fhirUser, or profile."""
    assert "fhirUser" not in claims(made(frozenset({"openid"})))
    assert "fhirUser" in claims(made(frozenset({"openid", "profile"})))


def test_who_is_no_resource_has_no_fhir_user() -> None:
    """OpenID Connect Core section 5.3.2: a claim that has no value is left out."""
    officer = Person(account="account-2", role="compliance", organization="Organization/o1")
    assert "fhirUser" not in claims(made(person=officer))


def test_the_example_of_the_specification_gives_its_hash() -> None:
    """OpenID Connect Core appendix A.4, whose c_hash is made in the same way (section 3.3.2.11)."""
    assert at_hash("Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk") == "LDktKdoQak3Pk0cnXxCltA"
