"""Keys of clients and credentials of single units: made, enrolled, changed beside each other, taken away. DEVICES 6.5; laws 1 to 5.

"Every process" is two here: the hub that serves, and a second one in the tests' own process over the same database.
docs/guides/units.md
"""

import gzip
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub.app import create_app
from security.detached import sign_detached
from security.oauth.client import client_assertion, token_form
from security.oauth.clients import new_client_keys
from security.oauth.jwks import private_key
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.outcomes import issues, refused
from tests.support.payloads import frame, gatt, identifier_system
from tests.support.process import Done, invoke
from tests.support.resources import patient

Json = dict[str, Any]
units = iter(range(1, 1_000_000))
ENDED = {"error": "invalid_client", "error_description": "client, key and signature do not match a registration"}


class Second:
    """A second hub, in this process."""

    def __init__(self, backstage: Backstage) -> None:
        self._backstage = backstage
        self._app = create_app(backstage.hub)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url=self._backstage.hub.base_url) as http:
                return await http.request(method, path, **more)

        return self._backstage.run(ask())


@pytest.fixture(scope="module")
def second(backstage: Backstage) -> Second:
    return Second(backstage)


@dataclass(frozen=True)
class Holder:
    """Somebody with a key: asks for tokens at both hubs, and sends with them."""

    running: Running
    second: Second
    id: str
    key: bytes

    def _everywhere(self, method: str, path: str, **more: Any) -> list[httpx.Response]:
        return [ask(method, path, **more) for ask in (self.running.http.request, self.second.request)]

    def ask(self) -> list[httpx.Response]:
        """A token, of each hub."""
        url = f"{self.running.process.url}/oauth/token"
        made = []
        for ask in (self.running.http.request, self.second.request):
            assertion = client_assertion(self.id, self.key, url, time.time_ns() // 1_000, f"{time.time_ns()}")
            made.append(ask("POST", "/oauth/token", data=token_form(assertion)))
        return made

    @property
    def token(self) -> str:
        answers = self.ask()
        assert [one.status_code for one in answers] == [200, 200], answers[0].text
        return str(answers[0].json()["access_token"])

    def send(self, token: str, payload: bytes, path: str = "/ingest/gatt", **headers: str) -> list[httpx.Response]:
        return self._everywhere("POST", path, content=payload, headers={"Authorization": f"Bearer {token}", **headers})

    def get(self, token: str, path: str) -> list[httpx.Response]:
        return self._everywhere("GET", path, headers={"Authorization": f"Bearer {token}"})


def told(answers: list[httpx.Response]) -> list[int]:
    return [one.status_code for one in answers]


@pytest.fixture
def vendor_client(another: Callable[..., Caller], ehr: Caller) -> Caller:
    return another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")


def hub(running: Running, *words: str) -> Any:
    done = running.process.invoke(*words)
    assert done.code == 0, done.err
    return done.json()


def failed(running: Running, *words: str) -> Done:
    done = running.process.invoke(*words)
    assert done.code == 1, done.out
    return done


def test_a_new_key_is_good_beside_the_old_one_and_then_alone(
    running: Running, second: Second, vendor_client: Caller, tmp_path: Path
) -> None:
    """In both processes, from the next request on; and the tokens of the key that ended end with it."""
    id, old_key = vendor_client.account.id, vendor_client.account.key
    (old_kid,) = [one["kid"] for one in hub(running, "client", "key", "list", id, "--json")]
    hub(running, "client", "key", "add", id, "--key-out", str(tmp_path / "new.pem"))
    old, new = (Holder(running, second, id, key) for key in (old_key, (tmp_path / "new.pem").read_bytes()))
    tokens = old.token, new.token
    hub(running, "client", "key", "retire", id, old_kid, "--after-hours", "1")
    assert (told(old.ask()), told(new.ask())) == ([200, 200], [200, 200])
    hub(running, "client", "key", "retire", id, old_kid, "--after-hours", "0", "--reason", "found in a repository")
    assert [one.json() for one in old.ask()] == [ENDED, ENDED]
    assert told(new.ask()) == [200, 200]
    assert [told(one.send(token, b"[]")) for one, token in zip((old, new), tokens, strict=True)] == [[401, 401], [200, 200]]
    shown = {one["kid"]: one["good"] for one in hub(running, "client", "key", "list", id, "--json")}
    assert (shown[old_kid], sorted(shown.values())) == (False, [False, True])


def test_the_last_key_is_not_retired_and_an_ended_one_does_not_come_back(running: Running, vendor_client: Caller) -> None:
    id = vendor_client.account.id
    (kid,) = [one["kid"] for one in hub(running, "client", "key", "list", id, "--json")]
    assert "only key" in failed(running, "client", "key", "retire", id, kid).err
    assert "no client" in failed(running, "client", "key", "list", "nobody").err


def test_the_id_of_a_key_may_begin_with_a_dash(running: Running, vendor_client: Caller) -> None:
    """RFC 7638: a thumbprint is base64url, and one in 64 begins so. It is no option then, and the options beside it still count."""
    words = ("client", "key", "retire", vendor_client.account.id, "-n4ptQQrKbTeZYNfB5e2zETVwBcM_JBgjC9s_BMJN5U")
    for options in ((), ("--after-hours", "1"), ("--reason", "yearly")):
        assert "no such key" in failed(running, *words, *options).err
    assert running.process.invoke(*words, "--after-ours", "1").code == 2


def test_changes_of_keys_are_recorded_with_words_of_their_own(
    running: Running, backstage: Backstage, vendor_client: Caller, tmp_path: Path
) -> None:
    """Law 2: with who did it and why, in the transaction of the change."""
    words = ("client", "key", "add", vendor_client.account.id, "--key-out", str(tmp_path / "k.pem"), "--reason", "yearly")
    (record,) = backstage.recorded_by(lambda: hub(running, *words))
    assert (record.kind, record.outcome) == ("client-key-add", "0")
    assert "yearly" in json.dumps(record.event)


@dataclass(frozen=True)
class Unit:
    """A cuff of somebody's, with a key pair of its own."""

    running: Running
    second: Second
    owner: Caller
    identifier: str
    person: str
    key: bytes
    jwks: Json

    def invite(self, *flags: str) -> str:
        words = ("device", "credential", "invite", "gatt", self.identifier, "--client-id", self.owner.account.id, *flags)
        return str(hub(self.running, *words)["code"])

    def register(self, code: str, jwks: Json | None = None, **more: Any) -> httpx.Response:
        body = {"jwks": jwks or self.jwks, **more}
        return self.running.http.post("/oauth/register", json=body, headers={"Authorization": f"Bearer {code}"})

    def enrolled(self, *flags: str) -> Holder:
        answer = self.register(self.invite(*flags))
        assert answer.status_code == 201, answer.text
        return self.holder(answer.json()["client_id"])

    def holder(self, id: str, key: bytes | None = None) -> Holder:
        return Holder(self.running, self.second, id, key or self.key)

    def measured(self, unit: str | None = None, minute: int = 0) -> bytes:
        return gatt(frame("2A35", "00780050005d00", received_at=f"2026-03-01T09:{minute:02}:00+01:00", system_id=unit or self.identifier))


@pytest.fixture
def unit(running: Running, second: Second, backstage: Backstage, ehr: Caller, vendor_client: Caller) -> Unit:
    person, identifier = ehr.create(patient())["id"], f"74-E8-FF-FE-FF-{next(units):02X}-00-02"
    backstage.pair(identifier_system("gatt"), identifier, f"Patient/{person}", from_us=0)
    key, jwks = new_client_keys()
    return Unit(running, second, vendor_client, identifier, person, key, jwks)


def fates(answers: list[httpx.Response]) -> list[list[tuple[str, str | None]]]:
    assert told(answers) == [200, 200], answers[0].text
    return [[(one["fate"], one.get("code")) for one in answer.json()] for answer in answers]


def test_a_unit_enrols_with_its_own_key_and_sends_as_itself(unit: Unit, ehr: Caller, backstage: Backstage) -> None:
    """RFC 7591, then RFC 7523; its readings are its patient's, and the record says which credential sent them."""
    holder = unit.enrolled()
    answers = holder.send(holder.token, unit.measured())
    assert fates(answers) == [[("stored", None)], [("duplicate", None)]]
    assert ehr.search(f"Observation?patient={unit.person}&_summary=count")["total"] == 1
    assert holder.id in json.dumps(backstage.records(answers[0].headers["x-request-id"])[0].event)


def test_readings_of_another_unit_are_refused_and_its_own_beside_them_are_stored(unit: Unit, backstage: Backstage) -> None:
    """A bad item never takes good ones with it; nothing of what is refused is kept."""
    holder = unit.enrolled()
    other = "74-E8-FF-FE-FF-EE-EE-EE"
    both = gatt(*json.loads(unit.measured(other)), *json.loads(unit.measured(minute=1)))
    waiting = backstage.admin["hub"]["quarantine"].count_documents({})
    assert fates(holder.send(holder.token, both))[0] == [("refused", "another-unit"), ("stored", None)]
    by_name = holder.send(holder.token, unit.measured(), f"/ingest/gatt?device={other}")
    assert fates(by_name)[0] == [("stored", None)]  # the payload says it, and it counts
    assert backstage.admin["hub"]["quarantine"].count_documents({}) == waiting


ELSEWHERE = ["/fhir/Observation", "/fhir/Patient", "/fhir/metadata?_format=json", "/quarantine", "/confirm", "/fhir?_type=Observation"]


@pytest.mark.parametrize("path", [path for path in ELSEWHERE if "metadata" not in path])
def test_it_reads_nothing_whatever_it_asks_for(unit: Unit, path: str) -> None:
    holder = unit.enrolled()
    assert told(holder.get(holder.token, path)) == [403, 403]


def test_it_writes_nothing_but_through_its_adapter(unit: Unit, ehr: Caller) -> None:
    """Though its scope is to create Observations: what it sends has to be what its unit measured."""
    holder = unit.enrolled()
    token = holder.token
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
    http = unit.running.http
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "subject": {"reference": f"Patient/{unit.person}"}}
    refused(http.post("/fhir/Observation", json=body, headers=headers), 403, "forbidden")
    batch = {"resourceType": "Bundle", "type": "batch", "entry": [{"resource": body, "request": {"method": "POST", "url": "Observation"}}]}
    refused(http.post("/fhir", json=batch, headers=headers), 403, "forbidden")
    answer = http.post("/ingest/withings", content=b"{}", headers=headers)
    refused(answer, 403, "forbidden")
    assert "another-adapter" in issues(answer)[0]["diagnostics"]
    assert ehr.search(f"Observation?patient={unit.person}&_summary=count")["total"] == 0


def test_its_token_carries_no_right_to_read(unit: Unit) -> None:
    scopes = [str(one.json()["scope"]).split() for one in unit.enrolled().ask()]
    assert all(scope.endswith(".c") for scope in scopes[0] + scopes[1])


def test_lost_it_is_refused_at_once_everywhere(unit: Unit) -> None:
    """Tokens that it has, and tokens that it asks for."""
    holder = unit.enrolled()
    token = holder.token
    hub(unit.running, "device", "credential", "revoke", holder.id, "--reason", "left in a train")
    assert told(holder.send(token, unit.measured())) == [401, 401]
    assert [one.json() for one in holder.ask()] == [ENDED, ENDED]
    assert failed(unit.running, "device", "credential", "rotate", holder.id, "--invite")


def test_it_ends_with_the_client_in_whose_name_it_sends(unit: Unit, backstage: Backstage) -> None:
    holder = unit.enrolled()
    token = holder.token
    backstage.revoke(unit.owner.account)
    assert told(holder.send(token, unit.measured())) == [401, 401]
    assert [one.json() for one in holder.ask()] == [ENDED, ENDED]


def test_a_code_is_good_once_and_says_nothing_otherwise(unit: Unit, backstage: Backstage) -> None:
    """Used, unknown, missing: one answer, recorded as a failed authentication."""
    code = unit.invite()
    assert unit.register(code.lower().replace("-", " ").replace(" ", "")).status_code == 201
    answers = [unit.register(code), unit.register("A" * 32), unit.running.http.post("/oauth/register", json={"jwks": unit.jwks})]
    assert {(one.status_code, one.content, one.headers["www-authenticate"]) for one in answers} == {
        (401, answers[0].content, answers[0].headers["www-authenticate"])
    }
    assert answers[0].json()["error"] == "invalid_token"
    assert [(one.kind, one.outcome) for one in backstage.records(answers[0].headers["x-request-id"])] == [("110122", "4")]


def test_a_used_code_is_used_though_what_came_of_it_was_revoked(unit: Unit) -> None:
    """Whoever finds the code of a unit that was taken away gets nothing by it."""
    code = unit.invite()
    hub(unit.running, "device", "credential", "revoke", unit.register(code).json()["client_id"])
    assert unit.register(code).status_code == 401


def test_of_two_who_use_a_code_at_once_one_is_enrolled(unit: Unit, backstage: Backstage) -> None:
    code = unit.invite()
    with ThreadPoolExecutor(4) as several:
        statuses = sorted(several.map(lambda _: unit.register(code, new_client_keys()[1]).status_code, range(4)))
    assert statuses == [201, 401, 401, 401]
    token = backstage.hub.services.blind.token("device-unit", f"{identifier_system('gatt')}|{unit.identifier}")
    assert backstage.admin["hub"]["oauth_clients"].count_documents({"unit.device": token}) == 1


def test_an_expired_code_is_good_no_more(unit: Unit, backstage: Backstage) -> None:
    code = unit.invite("--minutes", "1")
    long_ago = backstage.hub.services.clock() - 1
    for note in backstage.admin["hub"]["notes"].find({"kd": "enrolment"}):
        backstage.admin["hub"]["notes"].update_one({"_id": note["_id"]}, {"$set": {"x": _date(long_ago)}})
    assert unit.register(code).status_code == 401


def _date(us: int) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(us / 1_000_000, UTC)


def test_nothing_secret_and_no_identifier_lies_in_clear(unit: Unit, backstage: Backstage) -> None:
    """Law 4: the code is stored as a keyed hash only, the unit's serial number sealed, the private key nowhere."""
    code = unit.invite()
    unit.register(code)
    for name in ("oauth_clients", "notes", "quarantine"):
        for document in backstage.admin["hub"][name].find({}):
            text = repr(document)
            assert code not in text
            assert code.replace("-", "") not in text
            assert unit.identifier not in text
            assert "'d':" not in text or name != "oauth_clients"


REFUSED_BODIES: dict[str, tuple[Any, str]] = {
    "no keys": ({"jwks": {"keys": []}}, "invalid_client_metadata"),
    "no jwks": ({"jwks": None}, "invalid_client_metadata"),
    "another method": ({"token_endpoint_auth_method": "client_secret_basic"}, "invalid_client_metadata"),
    "another grant": ({"grant_types": ["authorization_code"]}, "invalid_client_metadata"),
}


@pytest.mark.parametrize("what", REFUSED_BODIES)
def test_what_is_wrong_with_the_metadata_is_said_and_the_code_stays_good(unit: Unit, what: str) -> None:
    """RFC 7591 section 3.2.2"""
    changed, error = REFUSED_BODIES[what]
    code = unit.invite()
    body = {"jwks": unit.jwks, **changed}
    answer = unit.running.http.post("/oauth/register", json=body, headers={"Authorization": f"Bearer {code}"})
    assert (answer.status_code, answer.json()["error"], answer.headers["cache-control"]) == (400, error, "no-store")
    assert unit.register(code).status_code == 201


def test_a_private_key_is_never_registered(unit: Unit) -> None:
    key, algorithm = private_key(unit.key)
    assert algorithm == "ES384"
    answer = unit.register(unit.invite(), {"keys": [{**key.as_dict(private=True), "kid": "x"}]})
    assert (answer.status_code, "private" in answer.json()["error_description"]) == (400, True)


def test_a_unit_has_one_credential_at_a_time(unit: Unit) -> None:
    holder = unit.enrolled()
    again = ("device", "credential", "invite", "gatt", unit.identifier, "--client-id", unit.owner.account.id)
    assert "revoke it first" in failed(unit.running, *again).err
    hub(unit.running, "device", "credential", "revoke", holder.id)
    assert unit.enrolled().id != holder.id


def test_its_keys_are_changed_by_itself_with_a_code_and_overlap(unit: Unit) -> None:
    """Both keys good for a while, then the new one alone; the credential stays the same."""
    old = unit.enrolled()
    code = str(hub(unit.running, "device", "credential", "rotate", old.id, "--invite", "--overlap-hours", "1")["code"])
    key, jwks = new_client_keys()
    answer = unit.register(code, jwks)
    assert (answer.status_code, answer.json()["client_id"]) == (201, old.id)
    new = unit.holder(old.id, key)
    assert (told(old.ask()), told(new.ask())) == ([200, 200], [200, 200])
    third, jwks_of_third = new_client_keys()
    code = str(hub(unit.running, "device", "credential", "rotate", old.id, "--invite", "--overlap-hours", "0")["code"])
    assert unit.register(code, jwks_of_third).status_code == 201
    assert [one.json() for one in (*old.ask(), *new.ask())] == [ENDED] * 4
    assert told(unit.holder(old.id, third).ask()) == [200, 200]


def test_an_operator_registers_a_units_key_and_changes_it(unit: Unit, tmp_path: Path) -> None:
    made = tmp_path / "unit.pem"
    words = ("device", "credential", "add", "gatt", unit.identifier, "--client-id", unit.owner.account.id, "--key-out", str(made))
    shown = hub(unit.running, *words)
    assert (shown["identifier"], shown["owner"]) == (unit.identifier, unit.owner.account.id)
    holder = unit.holder(shown["client_id"], made.read_bytes())
    assert fates(holder.send(holder.token, unit.measured()))[0] == [("stored", None)]
    next_one = tmp_path / "next.pem"
    hub(unit.running, "device", "credential", "rotate", holder.id, "--key-out", str(next_one), "--overlap-hours", "0")
    assert [one.json() for one in holder.ask()] == [ENDED, ENDED]
    assert told(unit.holder(holder.id, next_one.read_bytes()).ask()) == [200, 200]
    listed = [one for one in hub(unit.running, "device", "credential", "list", "--json") if one["client_id"] == holder.id]
    assert [one["revoked"] for one in listed] == [False]


def test_what_waits_of_a_unit_waits_for_its_owner(unit: Unit) -> None:
    """A unit repairs nothing: whoever runs it does, and it counts on the owner's quota."""
    holder = unit.enrolled()
    late = gatt(frame("2A35", "00780050005d00", received_at=None, system_id=unit.identifier))
    assert fates(holder.send(holder.token, late))[0] == [("quarantined", "no-time")]
    assert "no-time" in {one["code"] for one in unit.owner.get("/quarantine?_count=1000").json()}


def signature(unit: Unit, body: bytes, url: str) -> str:
    key, algorithm = private_key(unit.key)
    return sign_detached(body, url, key, algorithm, str(unit.jwks["keys"][0]["kid"]))


def test_where_batches_are_to_be_signed_unsigned_ones_are_refused_whole(unit: Unit, ehr: Caller, backstage: Backstage) -> None:
    """RFC 7797: over the bytes as they are read, for this path and query; also when they come packed."""
    holder, body = unit.enrolled("--signed"), unit.measured()
    token, url = holder.token, f"/ingest/gatt?device={unit.identifier}"
    unsigned = holder.send(token, body, url)
    assert told(unsigned) == [403, 403]
    assert "signature-missing" in issues(unsigned[0])[0]["diagnostics"]
    for wrong in (signature(unit, body + b" ", url), signature(unit, body, "/ingest/gatt"), "a..b"):
        answers = holder.send(token, body, url, **{"JWS-Signature": wrong})
        assert told(answers) == [403, 403]
        assert "signature-wrong" in issues(answers[1])[0]["diagnostics"]
    assert ehr.search(f"Observation?patient={unit.person}&_summary=count")["total"] == 0
    good = {"JWS-Signature": signature(unit, body, url)}
    assert fates(holder.send(token, body, url, **good)) == [[("stored", None)], [("duplicate", None)]]
    assert told(holder.send(token, gzip.compress(body), url, **good, **{"Content-Encoding": "gzip"})) == [200, 200]


def test_a_gateway_enrols_and_signs_by_command(unit: Unit, tmp_path: Path) -> None:
    """`hub device enrol` and `hub ingest --sign`: what a unit does, for one that runs this."""
    key, payload, base = str(tmp_path / "unit.pem"), tmp_path / "batch.json", ("--base-url", unit.running.process.url)
    payload.write_bytes(unit.measured())
    enrolled = invoke("device", "enrol", *base, "--code", unit.invite("--signed"), "--key-out", key)
    assert enrolled.code == 0, enrolled.err
    words = ("ingest", "gatt", str(payload), *base, "--client-id", enrolled.json()["client_id"], "--key", key)
    unsigned = invoke(*words)
    assert (unsigned.code, "signature-missing" in " ".join(unsigned.err.split())) == (1, True)
    done = invoke(*words, "--sign", "--time-zone", "Europe/Paris")
    assert [one["fate"] for one in done.lines()] == ["stored"], done.err
    again = invoke("device", "enrol", *base, "--code", "A" * 32, "--key-out", str(tmp_path / "no.pem"))
    assert (again.code, "invalid_token" in again.err) == (1, True)
    assert not (tmp_path / "no.pem").exists()


def test_a_signature_that_nobody_asked_for_has_to_be_good_all_the_same(unit: Unit) -> None:
    holder, body = unit.enrolled(), unit.measured()
    assert told(holder.send(holder.token, body, **{"JWS-Signature": "a..b"})) == [403, 403]
    assert told(holder.send(holder.token, body, **{"JWS-Signature": signature(unit, body, "/ingest/gatt")})) == [200, 200]


def test_acts_over_credentials_are_recorded_with_words_of_their_own(unit: Unit, backstage: Backstage) -> None:
    codes: list[str] = []
    answers: list[httpx.Response] = []
    made = [
        *backstage.recorded_by(lambda: codes.append(unit.invite("--reason", "new ward"))),
        *backstage.recorded_by(lambda: answers.append(unit.register(codes[0]))),
    ]
    id = answers[0].json()["client_id"]
    made += backstage.recorded_by(lambda: hub(unit.running, "device", "credential", "rotate", id, "--invite"))
    made += backstage.recorded_by(lambda: hub(unit.running, "device", "credential", "revoke", id))
    assert [one.kind for one in made] == ["credential-invite", "credential-enrol", "credential-invite", "credential-revoke"]
    assert id in json.dumps(made[1].event)
    assert not [one for one in made if codes[0] in json.dumps(one.event)]


def test_a_unit_is_nobodys_webhook_and_nobodys_owner(unit: Unit) -> None:
    holder = unit.enrolled()
    failed(unit.running, "webhook", "add", "gatt", "--client-id", holder.id, "--scheme", "jws")
    failed(unit.running, "device", "credential", "invite", "gatt", "other", "--client-id", holder.id)
