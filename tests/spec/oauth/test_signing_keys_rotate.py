"""The key set of a running hub of two processes, and the change of its keys by command.

RFC 7517 section 5, OpenID Connect Core 10.1.1; SECURITY 1.3 (33, 34). How long each state lasts: test_key_schedule.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from joserfc.jwk import KeySet
from joserfc.jws import deserialize_compact

from hub.signing import RELOAD_S
from security.oauth.key_schedule import JWKS_MAX_AGE_S
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.process import HubProcess
from tests.support.prover import Prover

ASKED = 12
ROUNDS = 5
"""At once, each on a connection of its own: the kernel gives it to one of the two processes."""


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path_factory.mktemp("signing") / "data", "--workers", "2").start()
    try:
        yield process
    finally:
        process.stop()


@pytest.fixture(scope="module")
def backstage(two: HubProcess) -> Iterator[Backstage]:
    with Backstage(two.data_dir, two.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def http(two: HubProcess) -> Iterator[httpx.Client]:
    with http_client(two.url) as opened:
        yield opened


@pytest.fixture
def caller(backstage: Backstage, http: httpx.Client, request: pytest.FixtureRequest) -> Caller:
    return Caller(http, backstage.register(new_client(request.node.name.replace("_", "-"), "system/*.rs")))


def kids(answer: httpx.Response) -> list[str]:
    return [one["kid"] for one in answer.json()["keys"]]


def everywhere(two: HubProcess, token: str) -> set[int]:
    """What the processes say to this token, each asked more than once."""

    def ask(_: int) -> int:
        with http_client(two.url) as http:
            return http.get("/fhir/Observation", headers={"Authorization": f"Bearer {token}"}).status_code

    with ThreadPoolExecutor(ASKED) as threads:
        return set(threads.map(ask, range(ASKED)))


def test_the_key_set_is_public_bare_and_may_be_kept_for_a_while(http: httpx.Client) -> None:
    """RFC 7517 section 5; SMART: bare keys; RFC 9111: Cache-Control. Whoever reads it bears no token."""
    answer = http.get("/oauth/jwks", headers={"Origin": "https://anywhere.example"})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == f"public, max-age={JWKS_MAX_AGE_S}"
    assert answer.headers["access-control-allow-origin"] == "*"
    by_kind = {one["kty"]: sorted(one) for one in answer.json()["keys"]}
    assert by_kind == {"EC": ["alg", "crv", "kid", "kty", "use", "x", "y"], "RSA": ["alg", "e", "kid", "kty", "n", "use"]}


def test_whoever_has_the_key_set_verifies_an_access_token(http: httpx.Client, caller: Caller) -> None:
    """RFC 9068 section 4."""
    keys = KeySet.import_key_set(http.get("/oauth/jwks").json())
    assert deserialize_compact(caller.token, keys, algorithms=["ES256"]).headers()["typ"] == "at+jwt"


def test_a_rotation_announces_new_keys_first_and_refuses_nothing(two: HubProcess, backstage: Backstage, caller: Caller) -> None:
    """Overlap: announced to everybody, signed with later; tokens from before go on. It is recorded with who and why."""
    token, before = caller.token, backstage.admin["hub_audit"]["records"].count_documents({})
    done = two.invoke("keys", "rotate", "signing", "--reason", "yearly exercise", "--json")
    assert done.code == 0, done.err
    states = sorted((one["algorithm"], one["state"]) for one in done.json()["signing_keys"])
    assert states == [("ES256", "announced"), ("ES256", "signing"), ("RS256", "announced"), ("RS256", "signing")]
    assert backstage.admin["hub_audit"]["records"].count_documents({}) > before
    assert everywhere(two, token) == {200}
    again = two.invoke("keys", "rotate", "signing")
    assert (again.code, "announced already" in again.err) == (1, True)


def test_of_one_proof_sent_to_both_processes_one_is_taken(two: HubProcess, caller: Caller) -> None:
    """RFC 9449 section 11.1: which process is asked does not matter."""
    prover = Prover(caller=caller)
    headers = {"Authorization": f"DPoP {prover.token}", "DPoP": prover.proof("GET", "/fhir/Observation", token=prover.token)}

    def ask(_: int) -> int:
        with http_client(two.url) as http:
            return http.get("/fhir/Observation", headers=headers).status_code

    with ThreadPoolExecutor(ASKED) as threads:
        assert sorted(threads.map(ask, range(ASKED))) == [200, *([401] * (ASKED - 1))]


def until_changed(two: HubProcess, before: list[str]) -> None:
    """Both processes read the schedule again within a second: their next answers say so."""
    with http_client(two.url) as http:
        for _ in range(2_000):
            if kids(http.get("/oauth/jwks")) != before:
                return
    raise AssertionError(f"the key set stays the same for much longer than {RELOAD_S} s")


def test_a_token_of_a_withdrawn_key_is_refused_by_both_processes_and_new_ones_are_taken_by_both(
    two: HubProcess, http: httpx.Client, caller: Caller
) -> None:
    """A compromise: what the key signed is good nowhere, though each process has verified it before and remembers it."""
    token, before = caller.token, kids(http.get("/oauth/jwks"))
    assert everywhere(two, token) == {200}
    signing = two.invoke("keys", "status", "--json").json()["token_signing_key"]
    done = two.invoke("keys", "withdraw", signing, "--reason", "found in a backup", "--json")
    assert done.code == 0, done.err
    assert signing not in [one["kid"] for one in done.json()["signing_keys"]]
    until_changed(two, before)
    until_refused(two, token)
    assert everywhere(two, token) == {401}
    fresh = Caller(http, caller.account).token
    assert everywhere(two, fresh) == {200}
    assert two.invoke("keys", "withdraw", signing).code == 1


def until_refused(two: HubProcess, token: str) -> None:
    """By both: a round of questions may all have come to one of them."""
    for _ in range(200):
        if all(everywhere(two, token) == {401} for _ in range(ROUNDS)):
            return
    raise AssertionError(f"a token of a withdrawn key is good for much longer than {RELOAD_S} s")
