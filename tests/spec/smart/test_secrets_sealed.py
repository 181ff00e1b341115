"""What opens a door, or says who somebody is, lies nowhere in clear once it has been used.

Law 4. An app and its person go the whole way, then every document of every database of the hub is searched, as bytes.
"""

from base64 import b64encode, urlsafe_b64decode

import httpx
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument

from tests.support.backstage import Backstage
from tests.support.signing_in import add_person
from tests.support.smart import signed_in_as, smart_app

DATABASES = ("hub", "hub_keys", "hub_audit")
RAW: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)


def stored(backstage: Backstage) -> bytes:
    """Every document there is, one behind the other."""
    found: list[bytes] = []
    for database in DATABASES:
        for name in backstage.admin[database].list_collection_names():
            rows = backstage.admin[database].get_collection(name, codec_options=RAW)
            found += [row.raw for row in rows.find({})]
    return b"\n".join(found)


def forms(secret: str) -> set[bytes]:
    """As text, and as the bytes that its base64url stands for, and as base64 of the text."""
    plain = {secret.encode(), b64encode(secret.encode()).rstrip(b"=")}
    return plain | ({urlsafe_b64decode(secret + "=")} if len(secret) == 43 else set())


def test_no_secret_of_an_app_or_a_person_lies_in_the_database(http: httpx.Client, backstage: Backstage) -> None:
    """RFC 6819 section 5.1.4.1.3 (no credentials in clear): codes, tokens, cookies, secrets and logins are sealed, keyed or hashed."""
    scope = "openid fhirUser launch/patient offline_access patient/*.rs"
    app = smart_app(http, backstage, scope, authentication="client_secret_basic")
    person = signed_in_as(backstage, "patient", "Patient/zq-nobody")
    someone = add_person(backstage, "compliance")
    request = app.waiting()
    code = app.code(person)
    first = app.redeem(code).json()
    second = app.refreshed(first["refresh_token"])
    tokens = [first["id_token"], *[answer[name] for answer in (first, second) for name in ("access_token", "refresh_token")]]
    pushed = app.posted("/oauth/par", app.parameters()).json()["request_uri"].rpartition(":")[2]
    secrets = [request, code, pushed, *tokens, app.secret, app.state, app.verifier, person.cookie, person.account.login]
    secrets += [someone.login, str(someone.totp)]
    assert all(len(one) > 12 for one in secrets)  # none so short that it is found by chance
    there = stored(backstage)
    assert app.id.encode() in there  # what is in clear is found: the search itself works
    assert [index for index, one in enumerate(secrets) if any(form in there for form in forms(one))] == []
