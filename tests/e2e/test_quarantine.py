"""Working with what waits, over HTTP and by command: found by cause, counted, let in again by filter, given up with a reason, expired.

DEVICES 6.5 (errors, observability for the vendor); DESIGN laws 2 and 3. A vendor's own items are all that there is for it.
"""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.payloads import identifier_system, libreview, weight
from tests.support.resources import ABSENT, patient

Json = dict[str, Any]
DAY_US = 86_400_000_000
SAID = {"id", "adapter", "code", "hint", "pointer", "received", "expires"}


@pytest.fixture
def sender(another: Callable[..., Caller], ehr: Caller) -> Caller:
    """Three items of withings without a unit, two of an unpaired one, one of libreview without a zone."""
    made = another("system/Observation.c", organization=ehr.account.organization, consent_default="opt-out")
    for grams in (70_000, 71_000, 72_000):
        made.fates("withings", weight(grams))
    for grams in (73_000, 74_000):
        made.fates("withings", weight(grams), device=f"unit-{made.account.id}")
    made.fates("libreview", libreview("L", ("25-01-2026 08:15", "0", "104")))
    return made


def listed(caller: Caller, query: str = "") -> list[Json]:
    answer = caller.get(f"/quarantine{query}")
    assert answer.status_code == 200, answer.text
    made: list[Json] = answer.json()
    return made


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 6),
        ("?adapter=withings", 5),
        ("?code=device-missing", 3),
        ("?adapter=libreview&code=device-missing", 0),
        ("?since=2000-01-01", 6),
        ("?until=2000-01-01", 0),
        ("?olderThan=0", 6),
        ("?olderThan=1", 0),
    ],
)
def test_what_waits_is_found_by_adapter_cause_and_age(sender: Caller, query: str, count: int) -> None:
    found = listed(sender, query)
    assert len(found) == count
    assert [one["received"] for one in found] == sorted(one["received"] for one in found), "oldest first"


def test_pages_follow_each_other_and_leave_nothing_out(sender: Caller) -> None:
    """https://www.rfc-editor.org/rfc/rfc8288: the next page is a link."""
    seen, url = [], "/quarantine?_count=4&adapter=withings"
    while url:
        answer = sender.get(url)
        seen += [one["id"] for one in answer.json()]
        url = answer.links.get("next", {}).get("url", "")
    assert seen == [one["id"] for one in listed(sender, "?adapter=withings")]
    assert len(set(seen)) == 5


def test_causes_are_counted(sender: Caller) -> None:
    found = {(one["adapter"], one["code"]): one["count"] for one in sender.get("/quarantine/counts").json()}
    assert found == {("withings", "device-missing"): 3, ("withings", "device-not-paired"): 2, ("libreview", "time-zone-missing"): 1}
    assert [one["count"] for one in sender.get("/quarantine/counts").json()] == [3, 2, 1], "most frequent first"


def test_a_vendor_is_told_code_place_and_hint_and_nothing_of_the_content(sender: Caller) -> None:
    """DEVICES 6.5: observability without patient data."""
    (one,) = listed(sender, "?adapter=libreview")
    shown = sender.get(f"/quarantine/{one['id']}").json()
    assert shown == one
    assert set(shown) == SAID
    assert "104" not in json.dumps({name: shown[name] for name in ("code", "hint", "pointer")})


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/quarantine?colour=red", 400, "invalid"),
        ("GET", "/quarantine?code=a&code=b", 400, "invalid"),
        ("GET", "/quarantine?_count=0", 400, "value"),
        ("GET", "/quarantine?_count=1001", 400, "value"),
        ("GET", "/quarantine?after=yesterday", 400, "value"),
        ("GET", "/quarantine?since=yesterday", 400, "value"),
        ("GET", "/quarantine?olderThan=-1", 400, "value"),
        ("GET", "/quarantine?client=somebody", 403, "forbidden"),
        ("GET", f"/quarantine/{ABSENT}", 404, "not-found"),
        ("GET", "/quarantine/..%2Fx", 404, "not-found"),
        ("POST", f"/quarantine/{ABSENT}/discard", 404, "not-found"),
        ("POST", "/quarantine/discard", 400, "required"),
        ("POST", "/quarantine/discard?code=device-missing", 400, "structure"),
        ("POST", "/quarantine/replay?colour=red", 400, "invalid"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_stable_code(sender: Caller, method: str, path: str, status: int, code: str) -> None:
    refused(sender.request(method, path), status, code)
    assert len(listed(sender)) == 6


@pytest.mark.parametrize("body", ["{}", '{"reason": ""}', '{"reason": "  "}', '{"reason": 1}', '["x"]', json.dumps({"reason": "x" * 501})])
def test_nothing_is_given_up_without_a_reason(sender: Caller, body: str) -> None:
    id = listed(sender)[0]["id"]
    refused(sender.request("POST", f"/quarantine/{id}/discard", content=body.encode()), 400, "required")
    assert len(listed(sender)) == 6


def test_what_is_given_up_is_gone_and_on_record_with_its_reason(sender: Caller, backstage: Backstage) -> None:
    """Law 2: which item, of which cause, by whom and why; nothing of what it said."""
    one = listed(sender, "?code=device-not-paired")[0]
    answer = sender.request("POST", f"/quarantine/{one['id']}/discard", json={"reason": "a test scale"})
    assert answer.json() == {"discarded": 1}
    assert one["id"] not in [left["id"] for left in listed(sender)]
    (record,) = backstage.records(answer.headers["x-request-id"])
    assert record.kind == "quarantine-discard"
    assert record.event["purposeOfEvent"][0]["text"] == "a test scale"
    (line,) = [base64.b64decode(entity["query"]).decode() for entity in record.event["entity"] if "query" in entity]
    assert f"withings|device-not-paired|{one['id']}" in line


def test_all_of_one_cause_are_given_up_together(sender: Caller) -> None:
    answer = sender.request("POST", "/quarantine/discard?code=device-missing", json={"reason": "old firmware"})
    assert answer.json() == {"discarded": 3}
    assert {one["code"] for one in listed(sender)} == {"device-not-paired", "time-zone-missing"}


def test_all_of_one_cause_are_let_in_together_and_what_still_waits_has_waited_since(
    sender: Caller, ehr: Caller, backstage: Backstage
) -> None:
    """What goes on waiting keeps its time: it expires when it would have."""
    person = ehr.create(patient())["id"]
    before = {one["id"]: one for one in listed(sender)}
    still = sender.request("POST", "/quarantine/replay?code=device-not-paired").json()
    assert [one["fate"] for one in still] == ["quarantined"] * 2
    assert {one["id"]: one for one in listed(sender)} == before
    backstage.pair(identifier_system("withings"), f"unit-{sender.account.id}", f"Patient/{person}", from_us=0)
    done = sender.request("POST", "/quarantine/replay?code=device-not-paired").json()
    assert sorted(one["fate"] for one in done) == ["corrected", "stored"], "the same moment twice: two values of one reading"
    assert len(listed(sender)) == 4


def test_another_vendors_items_are_neither_listed_counted_shown_nor_given_up(sender: Caller, another: Callable[..., Caller]) -> None:
    """Law 3: what is another's answers like what is not there, byte for byte."""
    other = another("system/Observation.c")
    id = listed(sender)[0]["id"]
    assert listed(other) == []
    assert other.get("/quarantine/counts").json() == []
    for method, path in (("GET", ""), ("POST", "/replay"), ("POST", "/discard")):
        body = {"json": {"reason": "x"}} if path == "/discard" else {}
        theirs, absent = (other.request(method, f"/quarantine/{which}{path}", **body) for which in (id, ABSENT))
        assert (theirs.status_code, theirs.content) == (absent.status_code, absent.content)
        refused(theirs, 404, "not-found")
    assert other.request("POST", "/quarantine/discard?adapter=withings", json={"reason": "x"}).json() == {"discarded": 0}
    assert len(listed(sender)) == 6


def test_an_administrator_sees_causes_of_all_and_does_nothing_in_their_name(sender: Caller, another: Callable[..., Caller]) -> None:
    admin = another("system/Observation.rs", administrator=True)
    found = listed(admin, f"?client={sender.account.id}")
    assert {one["client"] for one in found} == {sender.account.id}
    assert {*found[0]} == SAID | {"client"}
    refused(admin.request("POST", f"/quarantine/{found[0]['id']}/discard", json={"reason": "x"}), 403, "forbidden")
    assert len(listed(sender)) == 6


def test_the_operator_counts_shows_lets_in_and_gives_up_by_command(
    running: Running, sender: Caller, ehr: Caller, backstage: Backstage
) -> None:
    command, mine = running.process.invoke, ("--client", sender.account.id)
    counts = {one["code"]: one["count"] for one in command("quarantine", "counts", *mine, "--json", "--reason", "tests").json()}
    assert counts == {"device-missing": 3, "device-not-paired": 2, "time-zone-missing": 1}
    (zoneless,) = command("quarantine", "list", *mine, "--adapter", "libreview", "--json", "--reason", "tests").json()
    assert command("quarantine", "show", zoneless["id"]).code == 2, "health data is shown: why must be said"
    shown = command("quarantine", "show", zoneless["id"], "--reason", "a vendor asked").json()
    assert "104" in shown["raw"]
    assert shown["item"]["value"]["value"] == "104"
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("libreview"), "L", f"Patient/{person}", from_us=0)
    done = command("quarantine", "replay", *mine, "--code", "time-zone-missing", "--time-zone", "Europe/Paris", "--reason", "tests")
    assert [one["fate"] for one in done.lines()] == ["stored"]
    assert command("quarantine", "discard", *mine, "--code", "device-missing", "--reason", "tests").json() == {"discarded": 3}
    assert command("quarantine", "discard", *mine, "--code", "device-missing").code == 2
    assert command("quarantine", "discard", "--reason", "tests").code == 2, "nothing is named"
    assert command("quarantine", "discard", ABSENT, "--reason", "tests").code == 1
    assert {one["code"] for one in listed(sender)} == {"device-not-paired"}


def test_what_a_revoked_client_sent_waits_with_that_cause_and_can_be_given_up(
    running: Running, sender: Caller, backstage: Backstage
) -> None:
    """Nothing is stored in the name of who is no client any more; the items of others go through all the same."""
    backstage.revoke(sender.account)
    mine = ("--client", sender.account.id, "--reason", "tests")
    lines = running.process.invoke("quarantine", "replay", *mine).lines()
    assert [(one["fate"], one["code"]) for one in lines] == [("quarantined", "sender-revoked")] * 6
    assert running.process.invoke("quarantine", "discard", *mine).json() == {"discarded": 6}


def test_what_nobody_repaired_in_time_is_not_there_goes_and_is_on_record(running: Running, sender: Caller, backstage: Backstage) -> None:
    """HUB_QUARANTINE_DAYS: gone for everybody at once, swept and recorded soon after."""
    one = listed(sender, "?adapter=libreview")[0]
    backstage.admin["hub"]["quarantine"].update_one({"_id": one["id"]}, [{"$set": {"x": {"$subtract": ["$x", 91 * 86_400_000]}}}])
    assert len(listed(sender)) == 5
    refused(sender.request("POST", f"/quarantine/{one['id']}/replay"), 404, "not-found")
    records = backstage.recorded_by(lambda: running.process.invoke("contents", "sweep", "--reason", "tests"))
    (record,) = [record for record in records if record.kind == "quarantine-expire"]
    (line,) = [base64.b64decode(entity["query"]).decode() for entity in record.event["entity"] if "query" in entity]
    assert f"{sender.account.id}|libreview|time-zone-missing|{one['id']}" in line
    assert backstage.admin["hub"]["quarantine"].find_one({"_id": one["id"]}) is None
