"""Signed webhooks: a vendor's cloud proves itself by a secret or a key; whatever is wrong gets one answer. DEVICES 6.5; laws 1 to 5."""

import json
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from joserfc import jws

from security.oauth.jwks import private_key
from security.webhooks import signature
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller
from tests.support.far_side import far_side, whole
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.payloads import identifier_system, weight
from tests.support.resources import patient

Json = dict[str, Any]


class Vendor:
    """A vendor's cloud that calls."""

    def __init__(self, running: Running, caller: Caller, scheme: str, *flags: str) -> None:
        self.running, self.caller = running, caller
        done = running.process.invoke("webhook", "add", "withings", "--client-id", caller.account.id, "--scheme", scheme, *flags)
        assert done.code == 0, done.err
        self.hook: Json = done.json()

    @property
    def path(self) -> str:
        return str(self.hook["path"])

    def headers(self, body: bytes, **changed: str) -> dict[str, str]:
        made = {"id": secrets.token_urlsafe(12), "timestamp": str(int(time.time())), "secret": self.hook["secret"], **changed}
        signed = changed.get("signature") or signature(made["secret"], made["id"], made["timestamp"], body)
        return {"Webhook-Id": made["id"], "Webhook-Timestamp": made["timestamp"], "Webhook-Signature": signed}

    def call(self, body: bytes, headers: dict[str, str] | None = None, path: str | None = None) -> httpx.Response:
        return self.running.http.post(path or self.path, content=body, headers=self.headers(body) if headers is None else headers)


@pytest.fixture
def unit(ehr: Caller, backstage: Backstage) -> tuple[str, str]:
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("withings"), f"H-{person}", f"Patient/{person}", from_us=0)
    return person, f"H-{person}"


@pytest.fixture
def cloud(running: Running, vendor: Caller, unit: tuple[str, str]) -> Vendor:
    return Vendor(running, vendor, "hmac", "--device", unit[1])


def total(ehr: Caller, person: str) -> int:
    count: int = ehr.search(f"Observation?patient={person}&_summary=count")["total"]
    return count


def test_a_signed_call_is_taken_in_and_answered_item_by_item(ehr: Caller, cloud: Vendor, unit: tuple[str, str]) -> None:
    answer = cloud.call(weight(70_000))
    assert (answer.status_code, [one["fate"] for one in answer.json()]) == (200, ["stored"])
    assert total(ehr, unit[0]) == 1


def test_the_same_call_again_is_refused_and_a_new_attempt_is_a_duplicate(cloud: Vendor) -> None:
    """A call that was overheard is of no use; a vendor that tries again signs anew."""
    body = weight(70_000)
    headers = cloud.headers(body)
    assert [cloud.call(body, headers).status_code for _ in range(2)] == [200, 401]
    assert cloud.call(body).json()[0]["fate"] == "duplicate"


def test_a_call_whose_readings_were_not_stored_may_come_again(cloud: Vendor) -> None:
    """Law 5: the mark that it came is written with the readings."""
    headers = cloud.headers(b"{nonsense")
    assert [cloud.call(b"{nonsense", headers).status_code for _ in range(2)] == [400, 400]


WRONG: dict[str, Callable[[Vendor, bytes], httpx.Response]] = {
    "no signature": lambda cloud, body: cloud.call(body, {}),
    "another secret": lambda cloud, body: cloud.call(body, cloud.headers(body, secret="whsec_" + "A" * 44)),
    "another body": lambda cloud, body: cloud.call(body + b" ", cloud.headers(body)),
    "too old": lambda cloud, body: cloud.call(body, cloud.headers(body, timestamp=str(int(time.time()) - 400))),
    "from the future": lambda cloud, body: cloud.call(body, cloud.headers(body, timestamp=str(int(time.time()) + 400))),
    "unknown hook": lambda cloud, body: cloud.call(body, None, "/webhooks/withings?hook=" + "A" * 22),
    "no hook": lambda cloud, body: cloud.call(body, None, "/webhooks/withings"),
    "another adapter": lambda cloud, body: cloud.call(body, None, cloud.path.replace("withings", "libreview")),
    "unknown adapter": lambda cloud, body: cloud.call(body, None, cloud.path.replace("withings", "nonsense")),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_whatever_is_wrong_gets_one_answer_and_stores_nothing(
    ehr: Caller, backstage: Backstage, cloud: Vendor, unit: tuple[str, str], wrong: str
) -> None:
    """Nobody learns which hooks there are, nor which part was wrong; it is recorded (law 2)."""
    answer, plain = WRONG[wrong](cloud, weight(70_000)), cloud.call(b"", {})
    refused(answer, 401, "login")
    assert answer.content == plain.content
    assert answer.headers["www-authenticate"] == plain.headers["www-authenticate"]
    assert [(one.kind, one.outcome) for one in backstage.records(answer.headers["x-request-id"])] == [("110122", "4")]
    assert total(ehr, unit[0]) == 0


def test_a_changed_secret_is_good_beside_the_old_one_for_a_while(running: Running, cloud: Vendor) -> None:
    """DEVICES 6.5: rotation with overlap."""
    old = cloud.hook["secret"]
    new = running.process.invoke("webhook", "rotate", cloud.hook["hook"], "--overlap-hours", "1").json()["secret"]
    body = weight(70_000)
    assert old != new
    assert [cloud.call(body, cloud.headers(body, secret=one)).status_code for one in (old, new)] == [200, 200]
    newest = running.process.invoke("webhook", "rotate", cloud.hook["hook"], "--overlap-hours", "0").json()["secret"]
    assert [cloud.call(body, cloud.headers(body, secret=one)).status_code for one in (old, new, newest)] == [401, 401, 200]


def test_a_revoked_hook_and_a_revoked_client_are_refused(running: Running, backstage: Backstage, cloud: Vendor) -> None:
    assert running.process.invoke("webhook", "revoke", cloud.hook["hook"]).code == 0
    refused(cloud.call(weight(70_000)), 401, "login")
    account = backstage.register(new_client("hook-gone", "system/Observation.c"))
    gone = Vendor(running, Caller(running.http, account), "hmac")
    backstage.revoke(account)
    refused(gone.call(weight(70_000)), 401, "login")


def test_secrets_are_shown_once_and_lie_sealed(running: Running, backstage: Backstage, cloud: Vendor) -> None:
    """Law 4."""
    listed = running.process.invoke("webhook", "list", "--json")
    assert cloud.hook["hook"] in {one["hook"] for one in listed.json()}
    assert "whsec" not in listed.out
    stored = str(list(backstage.admin["hub"]["notes"].find({"kd": "webhook"})))
    assert cloud.hook["secret"] not in stored
    assert cloud.caller.account.id not in stored


def test_a_call_is_signed_with_the_clients_own_key(running: Running, vendor: Caller, unit: tuple[str, str]) -> None:
    """RFC 7515 appendix F: a JWS with the payload left out; the key is the one that the client was registered with."""
    cloud, body = Vendor(running, vendor, "jws", "--device", unit[1]), weight(70_000)
    key, algorithm = private_key(vendor.account.key)
    jwks = vendor.account.client.jwks
    assert jwks is not None
    header = {"alg": algorithm, "kid": jwks["keys"][0]["kid"], "iat": int(time.time()), "jti": "m-1"}
    registry = jws.JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    token = jws.detach_content(jws.serialize_compact(header, body, key, registry=registry))
    assert cloud.call(body, {"JWS-Signature": token}).json()[0]["fate"] == "stored"
    refused(cloud.call(body, {"JWS-Signature": token}), 401, "login")
    refused(cloud.call(body + b" ", {"JWS-Signature": token}), 401, "login")


def test_forged_calls_for_a_client_with_its_keys_at_a_url_are_refused_and_make_the_hub_ask_once(running: Running) -> None:
    """Ours: a set answered with no-store is not fetched for whoever calls, and no key to be had is no other answer than a wrong one."""
    account = new_client("webhook-url", "system/Observation.c")
    with far_side(whole(orjson.dumps(account.client.jwks), "Cache-Control: no-store")) as far:
        caller = running.caller(replace(account, client=replace(account.client, jwks=None, jwks_uri=far.url())))
        cloud = Vendor(running, caller, "jws")
        for _ in range(3):
            refused(cloud.call(weight(70_000), {"JWS-Signature": "e30..c2ln"}), 401, "login")
        assert len(far.asked) == 1


def test_a_packed_body_is_refused(cloud: Vendor) -> None:
    body = weight(70_000)
    refused(cloud.call(body, {**cloud.headers(body), "Content-Encoding": "gzip"}), 415, "not-supported")


def test_a_ping_is_answered_at_once_and_its_content_ignored(
    running: Running, ehr: Caller, backstage: Backstage, vendor: Caller, unit: tuple[str, str]
) -> None:
    """DEVICES 2.1: Withings' notification is a form, not signed; it says that there may be something, and nothing is stored from it."""
    cloud = Vendor(running, vendor, "ping", "--device", unit[1])
    form = f"userid={unit[0][:10]}&appli=1&startdate=1750000000&enddate=1750000001".encode()
    wakes = backstage.admin["hub"]["notes"]
    before = wakes.count_documents({"kd": "wake"})
    answers = [cloud.call(body, {"Content-Type": "application/x-www-form-urlencoded"}) for body in (form, form, weight(70_000), b"\xff")]
    assert [answer.status_code for answer in answers] == [204] * 4
    assert wakes.count_documents({"kd": "wake"}) == before + 1
    assert total(ehr, unit[0]) == 0
    assert unit[0][:10] not in str(list(wakes.find({"kd": "wake"})))


@pytest.mark.parametrize("path", ["/webhooks/withings?hook=x", "/webhooks/nonsense"])
def test_a_vendor_may_look_whether_the_address_answers(running: Running, path: str) -> None:
    """Withings asks by HEAD before it takes an address; the answer says nothing of which hooks there are."""
    assert running.http.head(path).status_code == 200


@pytest.mark.parametrize("flags", [("--scheme", "basic"), ("--client-id", "nobody-1234")])
def test_a_webhook_for_nobody_or_of_no_scheme_is_not_set_up(running: Running, vendor: Caller, flags: tuple[str, str]) -> None:
    done = running.process.invoke("webhook", "add", "withings", "--client-id", vendor.account.id, "--scheme", "hmac", *flags)
    assert done.code in (1, 2)
    assert "secret" not in json.dumps(done.out)
