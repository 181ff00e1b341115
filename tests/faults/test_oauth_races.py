"""Several processes serve one authorization server: what is good once is good once among all of them.

RFC 6749 section 4.1.2, RFC 7523 section 3, ASVS 5.0 15.4.2 (no time between check and use), 10.4.2, 8.3.2 (what has ended is refused with
the next request).
"""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.process import HubProcess
from tests.support.smart import SmartApp, signed_in_as, smart_app

SCOPE = "openid offline_access user/*.rs"
AT_ONCE = 50
REQUESTS = 24
"""On connections of their own, so that each of the two processes gets some."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Two:
    """A hub with two processes that serve."""

    process: HubProcess
    backstage: Backstage
    http: httpx.Client

    def each(self, send: Any, times: int) -> list[httpx.Response]:
        """The same request so often at once, each over a connection of its own."""

        def one(_: int) -> httpx.Response:
            with http_client(self.process.url) as http:
                answer: httpx.Response = send(http)
                return answer

        with ThreadPoolExecutor(times) as pool:
            return list(pool.map(one, range(times)))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    process = HubProcess(tmp_path_factory.mktemp("two") / "data", "--workers", "2").start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            yield Two(process=process, backstage=backstage, http=http)
    finally:
        process.stop()


@pytest.fixture(scope="module")
def app(two: Two) -> SmartApp:
    return smart_app(two.http, two.backstage, SCOPE)


def test_of_fifty_who_redeem_one_code_at_most_one_gets_tokens(two: Two, app: SmartApp) -> None:
    """RFC 6749 section 4.1.2: once; and whoever comes second ends what the code began."""
    officer = signed_in_as(two.backstage, "vendor", None, "Organization/o1")
    code = app.code(officer, scope="openid user/DeviceDefinition.rs")
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_uri, "code_verifier": app.verifier}
    answers = two.each(lambda http: http.post("/oauth/token", data={"client_id": app.id, **form}), AT_ONCE)
    good = [answer for answer in answers if answer.status_code == 200]
    assert len(good) <= 1
    assert {answer.status_code for answer in answers if answer not in good} <= {400, 503}
    assert app.redeem(code).status_code == 400
    for answer in good:
        assert app.get("/oauth/userinfo", answer.json()["access_token"]).status_code == 401


def test_of_many_who_refresh_with_one_token_at_most_one_gets_another(two: Two, app: SmartApp) -> None:
    """ASVS 5.0 10.4.5."""
    vendor = signed_in_as(two.backstage, "vendor", None, "Organization/o1")
    refresh = app.tokens(vendor)["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": app.id}
    answers = two.each(lambda http: http.post("/oauth/token", data=form), REQUESTS)
    assert sum(answer.status_code == 200 for answer in answers) <= 1


def test_of_many_with_one_assertion_exactly_one_is_served(two: Two) -> None:
    """RFC 7523 section 3: jti; SMART: never seen before for that issuer."""
    account = two.backstage.register(new_client("assertion", "system/Patient.rs"))
    caller = Caller(two.http, account)
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": caller.assertion(),
        "scope": "system/Patient.rs",
    }
    answers = two.each(lambda http: http.post("/oauth/token", data=form), REQUESTS)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: REQUESTS - 1}


@pytest.mark.parametrize("whose", ["a person's", "a client's"])
def test_a_token_that_was_revoked_is_refused_by_every_process(two: Two, app: SmartApp, whose: str) -> None:
    """ASVS 5.0 8.3.2, RFC 7009: with the next request, wherever it arrives."""
    if whose == "a person's":
        token = app.tokens(signed_in_as(two.backstage, "vendor", None, "Organization/o1"))["access_token"]
        proof = app.proof()
    else:
        caller = Caller(two.http, two.backstage.register(new_client("revoking", "system/Patient.rs")))
        token = caller.token
        proof = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": caller.assertion(),
        }
    bearer = {"Authorization": f"Bearer {token}"}
    before = two.each(lambda http: http.get("/oauth/userinfo", headers=bearer), REQUESTS)
    assert two.http.post("/oauth/revoke", data={"token": token, **proof}).status_code == 200
    after = two.each(lambda http: http.get("/oauth/userinfo", headers=bearer), REQUESTS)
    assert 401 not in {answer.status_code for answer in before}
    assert {answer.status_code for answer in after} == {401}
