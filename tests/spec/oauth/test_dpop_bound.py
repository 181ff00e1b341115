"""Tokens bound by DPoP at a running hub: RFC 9449 sections 5 (token request), 7 (resources), 11.1 (replay); what is left to the pure check
is in test_dpop.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import httpx
import pytest

from hub.operator import Operator
from hub.sender import CHALLENGE_DPOP, CHALLENGE_PROOF, CHALLENGES
from security.oauth.compact import peek
from tests.support.backstage import new_client
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.prover import Prover, prover_of

AT_ONCE = 8


@pytest.fixture(scope="module")
def bound(running: Running) -> Prover:
    """A client whose registration asks for tokens bound by DPoP."""
    account = new_client("dpop-bound", "system/*.cruds")
    return prover_of(running, replace(account, client=replace(account.client, binding="dpop")))


@pytest.fixture(scope="module")
def free(running: Running) -> Prover:
    """A client that may do as it likes."""
    return prover_of(running, new_client("dpop-free", "system/*.cruds"))


def test_a_token_asked_for_with_a_proof_is_bound_to_its_key(bound: Prover) -> None:
    """Section 5: token_type DPoP; section 6: cnf.jkt."""
    answer = bound.ask_token()
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "DPoP"
    assert peek(answer.json()["access_token"], max_chars=8_192).claims["cnf"] == {"jkt": bound.key.thumbprint()}


def test_whoever_wants_may_have_bound_tokens_and_others_stay_bearer(free: Prover) -> None:
    """SMART expects Bearer; DPoP is each client's choice unless its registration asks for it."""
    assert free.ask_token().json()["token_type"] == "DPoP"
    assert free.caller.ask_token().json()["token_type"] == "Bearer"


def test_a_client_registered_so_gets_no_token_without_a_proof(bound: Prover) -> None:
    """Section 5.2: dpop_bound_access_tokens."""
    answer = bound.caller.ask_token()
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_dpop_proof")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), [("GET", "/fhir/Observation"), ("POST", "/ingest/withings")])
def test_a_bound_token_is_taken_with_a_proof_made_for_it(bound: Prover, method: str, path: str) -> None:
    """Section 7.1, at the FHIR API and where readings come in."""
    answer = bound.request(method, path, content=None if method == "GET" else b"{}")
    assert answer.status_code not in (401, 403), answer.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_bound_token_is_refused_as_a_bearer_token_with_a_proof_or_without(bound: Prover, scheme: str) -> None:
    """Section 7.2: else whoever steals it would only have to leave the proof out."""
    for headers in ({}, {"DPoP": bound.proof("GET", "/fhir/Observation", token=bound.token)}):
        answer = bound.http.get("/fhir/Observation", headers={"Authorization": f"{scheme} {bound.token}", **headers})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, CHALLENGE_DPOP)


def test_a_bearer_token_is_refused_by_the_dpop_scheme(free: Prover) -> None:
    """Section 7.1: the token has to be bound to the proof's key."""
    token = free.caller.token
    headers = {"Authorization": f"DPoP {token}", "DPoP": free.proof("GET", "/fhir/Observation", token=token)}
    assert free.http.get("/fhir/Observation", headers=headers).status_code == 401


def test_a_proof_of_another_key_token_method_or_path_opens_nothing(bound: Prover, free: Prover) -> None:
    """Section 4.3; section 7.1: error invalid_dpop_proof."""
    thief = replace(free, token_=bound.token)
    wrong = [
        thief.proof("GET", "/fhir/Observation", token=bound.token),
        bound.proof("GET", "/fhir/Observation", token="another"),
        bound.proof("GET", "/fhir/Observation"),
        bound.proof("POST", "/fhir/Observation", token=bound.token),
        bound.proof("GET", "/fhir/Patient", token=bound.token),
        bound.proof("GET", "/fhir/Observation", token=bound.token, at_s=time.time() - 3_600),
        "no proof",
    ]
    for proof in wrong:
        answer = bound.http.get("/fhir/Observation", headers={"Authorization": f"DPoP {bound.token}", "DPoP": proof})
        assert (answer.status_code, answer.headers["www-authenticate"]) == (401, CHALLENGE_PROOF), proof


def test_a_bound_token_without_a_proof_or_with_two_is_refused(bound: Prover) -> None:
    """Section 4.3 point 1: not more than one."""
    headers = httpx.Headers({"Authorization": f"DPoP {bound.token}"})
    assert bound.http.get("/fhir/Observation", headers=headers).status_code == 401
    two = [*headers.raw, *((b"DPoP", bound.proof("GET", "/fhir/Observation", token=bound.token).encode()) for _ in range(2))]
    assert bound.http.get("/fhir/Observation", headers=two).status_code == 401


def test_of_one_proof_sent_many_times_at_once_one_is_taken(bound: Prover) -> None:
    """Section 11.1: one atomic step in the store, so on any process."""
    headers = {"Authorization": f"DPoP {bound.token}", "DPoP": bound.proof("GET", "/fhir/Observation", token=bound.token)}
    with ThreadPoolExecutor(AT_ONCE) as threads:
        answers = list(threads.map(lambda _: bound.http.get("/fhir/Observation", headers=headers).status_code, range(AT_ONCE)))
    assert sorted(answers) == [200, *([401] * (AT_ONCE - 1))]


def test_a_proof_used_at_the_token_endpoint_is_used_up(free: Prover) -> None:
    """Section 11.1."""
    proof = free.proof("POST", "/oauth/token")
    assert free.ask_token(proof=proof).status_code == 200
    again = free.ask_token(proof=proof)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_dpop_proof")


def test_whoever_has_no_token_learns_both_ways_in(http: httpx.Client) -> None:
    """Section 7.1: the algorithms that proofs may have."""
    assert http.get("/fhir/Observation").headers["www-authenticate"] == CHALLENGES


def test_a_bearer_token_ends_when_the_registration_asks_for_bound_ones(running: Running) -> None:
    """Ours: what is registered holds with the next request, for tokens given before too."""
    caller = Caller(running.http, running.backstage.register(new_client("dpop-later", "system/*.rs")))
    assert caller.get("Observation").status_code == 200
    operator = Operator(running.backstage.hub, "tests")
    running.backstage.run(operator.change_client("client-key-add", caller.account.id, lambda client: replace(client, binding="dpop")))
    assert caller.get("Observation").status_code == 401


def test_a_bearer_token_that_is_not_good_any_more_opens_introspection_neither(running: Running) -> None:
    """RFC 7662 section 2.1: who asks is authorised as at any other resource, and what no resource takes is not active."""
    caller = Caller(running.http, running.backstage.register(new_client("dpop-asks", "system/*.rs")))

    def asked() -> httpx.Response:
        return running.http.post("/oauth/introspect", data={"token": caller.token}, headers={"Authorization": f"Bearer {caller.token}"})

    assert asked().json()["active"] is True
    operator = Operator(running.backstage.hub, "tests")
    running.backstage.run(operator.change_client("client-change", caller.account.id, lambda client: replace(client, binding="dpop")))
    assert asked().status_code == 401
