"""HTTP push of what is too long for memory: spooled sealed, read in pieces, answered as it becomes durable. docs/adr/0020-uploads.md"""

import gzip
import json
from base64 import b64decode
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha1
from pathlib import Path
from typing import Any

import pytest

from hub.ingest import weighed
from hub.ingest.pieces import Pieces
from hub.ingest.upload import PART_ITEMS
from tests.support.apple import export, pieces
from tests.support.backstage import Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.edf import File, Signal
from tests.support.fixtures import Running
from tests.support.outcomes import refused
from tests.support.payloads import identifier_system, weight
from tests.support.process import HubProcess
from tests.support.resources import patient

Json = dict[str, Any]
LONG, LONGEST = 20_000, 3_000_000
"""Bytes: what is taken as a whole, and what is taken at all."""
AT_ONCE = 1024 * 1024
"""Bytes of a recording that are in memory."""
MANY = 2 * PART_ITEMS + 7
"""Items: three parts."""
NDJSON = {"Accept": "application/x-ndjson"}
SCOPE = "system/*.cruds"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A hub to which little is much."""
    settings = {"HUB_MAX_INGEST_BYTES": str(LONG), "HUB_MAX_UPLOAD_BYTES": str(LONGEST), "HUB_UPLOADS_AT_ONCE": "1"}
    process = HubProcess(tmp_path_factory.mktemp("narrow") / "data", **settings).start()
    try:
        with Backstage(process.data_dir, process.url) as backstage, http_client(process.url) as http:
            yield Running(process=process, backstage=backstage, http=http)
    finally:
        process.stop()


@pytest.fixture(scope="module")
def sender(narrow: Running) -> Caller:
    return narrow.caller(new_client("sender", SCOPE, consent_default="opt-out", recorder=True))


@pytest.fixture
def unit(narrow: Running, sender: Caller) -> str:
    person = sender.create(patient())["id"]
    narrow.backstage.pair(identifier_system("apple-health"), f"A-{person}", f"Patient/{person}", from_us=0)
    return f"A-{person}"


def fates(caller: Caller, unit: str, payload: bytes, **headers: str) -> list[Json]:
    answer = caller.ingest("apple-health", payload, device=unit, headers=headers)
    assert answer.status_code == 200, answer.text
    made: list[Json] = answer.json()
    return made


def test_each_item_is_answered_in_the_order_of_the_payload(sender: Caller, unit: str) -> None:
    answers = fates(sender, unit, export(MANY))
    assert Counter(one["fate"] for one in answers) == {"stored": MANY}
    places = [int(one["pointer"].removeprefix("byte ")) for one in answers]
    assert places == sorted(places)
    assert sender.search(f"Observation?patient={unit.removeprefix('A-')}&_summary=count")["total"] == MANY


def test_an_object_a_line_says_the_same(sender: Caller, unit: str) -> None:
    first = fates(sender, unit, export(MANY))
    answer = sender.ingest("apple-health", export(MANY), device=unit, headers=NDJSON)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [line | {"fate": "stored"} for line in map(loads, answer.text.splitlines())] == first


def loads(line: str) -> Json:

    made: Json = json.loads(line)
    assert made["fate"] == "duplicate"
    return made


@pytest.mark.parametrize("packed", [True, False])
def test_a_body_of_unknown_length_may_be_short_or_long_packed_or_not(sender: Caller, unit: str, packed: bool) -> None:
    """RFC 9112 section 7.1: chunked; RFC 9110 section 8.4.1.3: gzip."""
    for count in (3, MANY):
        body = iter([gzip.compress(export(count))]) if packed else pieces(count)
        headers = {"Content-Encoding": "gzip"} if packed else {}
        answer = sender.request("POST", "/ingest/apple-health", content=body, params={"device": unit}, headers=headers)
        assert answer.status_code == 200, answer.text
        assert len(answer.json()) == count


def test_the_same_key_gets_the_same_answer_part_by_part(sender: Caller, unit: str) -> None:
    """As for short payloads, and without their limit of items."""
    key = {"Idempotency-Key": unit}
    first, second = (sender.ingest("apple-health", export(MANY), device=unit, headers=key) for _ in range(2))
    assert Counter(one["fate"] for one in first.json()) == {"stored": MANY}
    assert first.content == second.content
    assert ("idempotency-replayed" in first.headers, second.headers["idempotency-replayed"]) == (False, "true")
    other = sender.ingest("apple-health", export(MANY - 1), device=unit, headers=key)
    refused(other, 422, "business-rule")


def test_what_is_no_export_at_all_is_refused_with_a_status(sender: Caller, unit: str) -> None:
    refused(sender.ingest("apple-health", b"x" * 2 * LONG, device=unit), 400, "structure")


@pytest.mark.parametrize("packed", [True, False])
def test_more_than_is_taken_at_all_is_refused_and_told_the_limit(sender: Caller, unit: str, packed: bool) -> None:
    """A gzip bomb is looked at no further than that."""
    body = export(1) + b" " * LONGEST
    headers = {"Content-Encoding": "gzip"} if packed else {}
    answer = sender.ingest("apple-health", gzip.compress(body) if packed else body, device=unit, headers=headers)
    (issue,) = refused(answer, 413, "too-long")
    assert str(LONGEST) in issue["diagnostics"]


@pytest.mark.parametrize("body", [gzip.compress(export(900))[:-20], gzip.compress(export(900)) + b"more", b"no gzip" * LONG])
def test_a_gzip_that_is_none_or_not_whole_is_refused(sender: Caller, unit: str, body: bytes) -> None:
    refused(sender.ingest("apple-health", body, device=unit, headers={"Content-Encoding": "gzip"}), 400, "structure")


def test_an_adapter_that_does_not_read_in_pieces_keeps_its_limit(sender: Caller, unit: str) -> None:
    refused(sender.ingest("withings", weight(70_000) + b" " * LONG, device=unit), 413, "too-long")


def test_one_client_has_few_on_their_way_at_once(narrow: Running, sender: Caller, unit: str) -> None:
    """RFC 6585 section 4: 429 with Retry-After, while the first is still being sent; another client's goes through."""
    other = narrow.caller(new_client("other", SCOPE, organization=sender.account.organization, consent_default="opt-out"))
    seen: list[Any] = []

    def body() -> Iterator[bytes]:
        sent = pieces(MANY)
        yield next(sent) + next(sent)
        seen.append(sender.ingest("apple-health", export(MANY), device=unit))
        seen.append(other.ingest("apple-health", export(MANY), device=unit))
        yield from sent

    with http_client(narrow.process.url) as http:
        first = Caller(http, sender.account).request("POST", "/ingest/apple-health", content=body(), params={"device": unit})
    refused(seen[0], 429, "throttled")
    assert int(seen[0].headers["retry-after"]) >= 1
    assert [len(answer.json()) for answer in (seen[1], first)] == [MANY, MANY]


def test_each_part_has_its_record(narrow: Running, sender: Caller, unit: str) -> None:
    """Law 2: what was written is recorded with it, and the answer comes after."""
    answer = sender.ingest("apple-health", export(MANY), device=unit)
    records = narrow.backstage.records(answer.headers["x-request-id"])
    assert {one.kind for one in records} == {"ingest"}
    assert len({write.row for one in records for write in one.draft.writes}) == MANY


def test_nothing_in_clear_lies_on_the_disk_while_it_is_taken_in(narrow: Running, sender: Caller, unit: str) -> None:
    """Law 4: what the hub has open in its folder is sealed, and has no name."""
    found: list[bytes] = []

    def body() -> Iterator[bytes]:
        yield export(MANY)
        for _ in range(2_000):
            yield b" " * 1_000
            found[:] = spooled(narrow.process)
            if any(found):
                return

    with http_client(narrow.process.url) as http:
        payload = Caller(http, sender.account).request("POST", "/ingest/apple-health", content=body(), params={"device": unit})
    assert payload.status_code == 200
    assert list((narrow.process.data_dir / "spool").iterdir()) == []
    assert [len(one) > 0 for one in found] == [True], "the payload is on the disk while it is sent"
    assert all(b"HeartRate" not in one for one in found)
    # The answer is whole before the hub lets go of the file; each further answer gives it a turn.
    assert any(narrow.http.get("/livez").is_success and spooled(narrow.process) == [] for _ in range(1_000))


def spooled(process: HubProcess) -> list[bytes]:
    """What the process has open that has no name any more."""
    folder, made = f"{process.data_dir}/spool", []
    for place in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            if place.is_symlink() and folder in str(place.readlink()):
                made.append(place.read_bytes())
    return made


# -- recordings


SECONDS, RATE = 600, 300


def eeg(first: int = 0, seconds: int = SECONDS) -> bytes:
    """360,000 bytes: more than one piece, and much more than is taken as a whole."""
    samples = [[(first + second * 7 + place * 31) % 4001 - 2000 for place in range(RATE)] for second in range(seconds)]
    return bytes(File(signals=[Signal(label="EEG Fpz-Cz", records=samples)]))


def recording(caller: Caller, unit: str, payload: bytes) -> Json:
    answer = caller.ingest("edf", payload, device=unit, timeZone="Europe/Paris")
    assert answer.status_code == 200, answer.text
    (fate,) = answer.json()
    return dict(fate)


@pytest.fixture
def amplifier(narrow: Running, sender: Caller) -> str:
    person = sender.create(patient())["id"]
    narrow.backstage.pair(identifier_system("edf"), f"E-{person}", f"Patient/{person}", from_us=0)
    return f"E-{person}"


def kept(caller: Caller, fate: Json) -> tuple[Json, bytes]:
    """The attachment of a recording, and its bytes."""
    document = caller.get(caller.get(fate["resource"]).json()["derivedFrom"][0]["reference"]).json()
    attachment: Json = document["content"][0]["attachment"]
    return attachment, caller.get(attachment["url"], headers={"Accept": "application/edf"}).content


def test_a_recording_goes_from_the_spool_to_its_pieces(sender: Caller, amplifier: str) -> None:
    """As it was sent, but for who it was; size and SHA-1 are those of the attachment (R4 Attachment)."""
    payload = eeg()
    fate = recording(sender, amplifier, payload)
    assert fate["fate"] == "stored"
    attachment, content = kept(sender, fate)
    assert content[512:] == payload[512:]
    assert b"Lovelace" not in content
    assert attachment["size"] == len(content)
    assert b64decode(attachment["hash"]) == sha1(content, usedforsecurity=False).digest()


def test_the_same_recording_again_is_a_duplicate_and_another_a_new_version(sender: Caller, amplifier: str) -> None:
    """DESIGN 7; the older version keeps its own pieces."""
    stored = recording(sender, amplifier, eeg())
    assert recording(sender, amplifier, eeg()) == {**stored, "fate": "duplicate"}
    assert recording(sender, amplifier, eeg(1))["fate"] == "corrected"
    url = kept(sender, stored)[0]["url"]
    versions = [sender.get(f"{url}/_history/{version}", headers={"Accept": "application/edf"}).content[512:] for version in (1, 2)]
    assert sorted(versions) == sorted(payload[512:] for payload in (eeg(), eeg(1)))


def test_a_long_file_of_a_folder_is_the_same_recording(narrow: Running, sender: Caller, amplifier: str, tmp_path: Path) -> None:
    """Packed too: what the document names is read from the file once more."""
    stored = recording(sender, amplifier, eeg())
    (tmp_path / "night.edf.gz").write_bytes(gzip.compress(eeg()))
    asked = ["--adapter", "edf", "--client-id", sender.account.id, "--device", amplifier, "--time-zone", "Europe/Paris", "--settle", "0"]
    done = narrow.process.command("watch", str(tmp_path), *asked, "--once", "--data-dir", str(narrow.process.data_dir))
    assert done.code == 0, done.err
    (line,) = (tmp_path / "done" / "night.edf.gz.ndjson").read_text().splitlines()
    assert json.loads(line) == {**stored, "fate": "duplicate"}


def test_a_recording_of_nobody_waits_with_its_bytes(narrow: Running, sender: Caller) -> None:
    """As one does that came whole; replayed, it is what was sent."""
    fate = recording(sender, person := sender.create(patient())["id"], eeg())
    assert (fate["fate"], fate["code"]) == ("quarantined", "device-not-paired")
    narrow.backstage.pair(identifier_system("edf"), person, f"Patient/{person}", from_us=0)
    (replayed,) = sender.request("POST", "/quarantine/all/replay").json()
    assert replayed["fate"] == "stored"
    assert kept(sender, replayed)[1][512:] == eeg()[512:]


def test_what_is_too_long_for_an_attachment_does_not_wait(
    narrow: Running, sender: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4 Attachment.size is an unsignedInt. The command runs in this process, where little is too much."""
    monkeypatch.setattr(weighed, "SIZE_BYTES_MAX", LONG)
    (tmp_path / "night.edf").write_bytes(eeg(7))
    asked = ["--adapter", "edf", "--client-id", sender.account.id, "--device", "nobodys", "--time-zone", "Europe/Paris", "--settle", "0"]
    assert narrow.process.invoke("watch", str(tmp_path), *asked, "--once").code == 0
    (line,) = (tmp_path / "done" / "night.edf.ndjson").read_text().splitlines()
    fate = json.loads(line)
    assert (fate["fate"], fate["code"]) == ("refused", "device-not-paired")
    assert "does not wait" in fate["hint"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes are asked for at once of a recording that lies in pieces; the commands run in this process."""
    asked, read_at = list[int](), Pieces.read_at

    def watched(self: Pieces, start: int, length: int) -> bytes:
        asked.append(min(start + length, self.size) - start)
        return read_at(self, start, length)

    monkeypatch.setattr(Pieces, "read_at", watched)
    return asked


def test_a_long_recording_waits_and_is_let_in_without_ever_being_whole_in_memory(narrow: Running, sender: Caller, read: list[int]) -> None:
    """docs/adr/0014: its pieces are read one after the other, weighed, and sealed anew."""
    person = sender.create(patient())["id"]
    payload = eeg(7, 7 * SECONDS)
    assert recording(sender, f"long-{person}", payload)["fate"] == "quarantined"
    narrow.backstage.pair(identifier_system("edf"), f"long-{person}", f"Patient/{person}", from_us=0)
    done = narrow.process.invoke("quarantine", "replay", "--adapter", "edf", "--reason", "tests")
    fates = [json.loads(line) for line in done.out.splitlines() if line.startswith("{")]
    (stored,) = [one for one in fates if one.get("fate") == "stored"]
    assert kept(sender, stored)[1][512:] == payload[512:]
    assert sum(read) >= 2 * len(payload), "weighed, then sealed"
    assert max(read) <= AT_ONCE < len(payload) // 2


def test_a_long_recording_is_derived_anew_without_ever_being_whole_in_memory(
    narrow: Running, sender: Caller, amplifier: str, tmp_path: Path, read: list[int]
) -> None:
    payload = eeg(9, 7 * SECONDS)
    assert recording(sender, amplifier, payload)["fate"] == "stored"
    out, report = tmp_path / "plan", tmp_path / "report.json"
    planned = narrow.process.invoke("rederive", "plan", "--adapter", "edf", "--out", str(out), "--report", str(report), "--reason", "tests")
    assert planned.code == 0, planned.err
    made = json.loads(planned.out)
    assert (made["kinds"].keys(), made["left"]) == ({"unchanged"}, {}), report.read_text()[:4_000]
    assert sum(read) >= len(payload)
    assert max(read) <= AT_ONCE < len(payload) // 2
