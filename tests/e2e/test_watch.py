"""Files put into a folder: claimed by a rename, taken in, moved beside their answers. DEVICES 6.5; laws 2, 4 and 5."""

import asyncio
import gzip
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.contract import NO_CONTEXT, Context, Source
from adapters.discovery import adapters
from adapters.reading import Item
from hub.ingest.fates import Answer
from hub.ingest.folder import Folder
from hub.ingest.pipeline import Pipeline
from hub.ingest.sender import Senders
from hub.ingest.watch import Again, Mapping, Watch, decoded
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller
from tests.support.edf import File, Signal
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system, weight, withings
from tests.support.process import Done
from tests.support.resources import patient

Json = dict[str, Any]


@pytest.fixture
def unit(ehr: Caller, backstage: Backstage) -> str:
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("withings"), f"F-{person}", f"Patient/{person}", from_us=0)
    return f"F-{person}"


class Inbox:
    def __init__(self, running: Running, directory: Path, account: Account, unit: str) -> None:
        self.directory, self.unit = directory, unit
        self._running, self._client = running, account.id
        directory.mkdir()

    def put(self, name: str, payload: bytes) -> None:
        (self.directory / name).write_bytes(payload)

    def watch(self, *flags: str) -> Done:
        common = ("--adapter", "withings", "--client-id", self._client, "--device", self.unit, "--settle", "0", "--once")
        return self._running.process.invoke("watch", str(self.directory), *common, *flags)

    def answers(self, name: str) -> list[Json]:
        return [json.loads(line) for line in (self.directory / "done" / f"{name}.ndjson").read_text().splitlines()]

    def left(self) -> list[str]:
        """Everything in the folder, as paths, but for the three that are always there."""
        return sorted(str(path.relative_to(self.directory)) for path in self.directory.rglob("*") if path.is_file())


@pytest.fixture
def inbox(running: Running, vendor: Caller, tmp_path: Path, unit: str) -> Inbox:
    return Inbox(running, tmp_path / "inbox", vendor.account, unit)


def test_a_file_is_taken_in_and_lies_beside_its_answers(inbox: Inbox, ehr: Caller) -> None:
    inbox.put("monday.json", withings(group(1, (WEIGHT, 70, 0)), group(2, (WEIGHT, 71, 0))))
    done = inbox.watch()
    assert (done.code, done.lines()) == (0, [{"state": "done", "fates": {"stored": 2}}])
    assert inbox.left() == ["done/monday.json", "done/monday.json.ndjson"]
    assert [one["fate"] for one in inbox.answers("monday.json")] == ["stored", "stored"]
    assert all(ehr.get(one["resource"]).status_code == 200 for one in inbox.answers("monday.json"))


def test_what_cannot_be_read_lies_beside_the_reason_and_others_go_on(inbox: Inbox) -> None:
    """A poisonous file is put aside."""
    inbox.put("bad.json", b"{nonsense")
    inbox.put("good.json", weight(70_000))
    assert [line["state"] for line in inbox.watch().lines()] == ["refused", "done"]
    assert inbox.left() == [
        "done/good.json",
        "done/good.json.ndjson",
        "refused/bad.json",
        "refused/bad.json.json",
        "refused/bad.json.ndjson",
    ]
    why = json.loads((inbox.directory / "refused" / "bad.json.json").read_text())
    assert (why["resourceType"], why["issue"][0]["code"]) == ("OperationOutcome", "structure")


def test_names_that_are_there_already_are_not_overwritten(inbox: Inbox) -> None:
    for grams in (70_000, 71_000):
        inbox.put("same.json", weight(grams, grams))
        inbox.watch()
    done = [path for path in inbox.left() if path.endswith("same.json")]
    assert len(done) == 2
    assert [one["fate"] for one in inbox.answers("same.json")] == ["stored"]


def test_what_is_not_finished_or_not_a_file_is_left_alone(inbox: Inbox, tmp_path: Path) -> None:
    """A link could lead anywhere."""
    secret = tmp_path / "secret"
    secret.write_bytes(weight(70_000))
    inbox.put(".hidden", weight(1))
    inbox.put("half.json.part", weight(1))
    (inbox.directory / "link.json").symlink_to(secret)
    (inbox.directory / "folder.json").mkdir()
    assert inbox.watch().lines() == []
    assert (inbox.directory / "link.json").is_symlink()


def test_a_file_that_is_being_written_is_left_until_it_rests(inbox: Inbox) -> None:
    inbox.put("fresh.json", weight(70_000))
    assert inbox.watch("--settle", "60").lines() == []
    os.utime(inbox.directory / "fresh.json", (0, 0))
    assert [line["state"] for line in inbox.watch("--settle", "60").lines()] == ["done"]


def test_a_packed_file_is_unpacked_on_the_way(inbox: Inbox) -> None:
    inbox.put("packed.json.gz", gzip.compress(weight(70_000)))
    inbox.put("cut.json.gz", gzip.compress(weight(70_000))[:-9])
    inbox.put("bomb.json.gz", gzip.compress(b" " * 16_000_001))
    assert sorted((line["state"], str(line["fates"])) for line in inbox.watch().lines()) == [
        ("done", "{'stored': 1}"),
        ("refused", "{}"),
        ("refused", "{}"),
    ]


def test_a_client_that_was_revoked_takes_in_nothing(inbox: Inbox, running: Running, backstage: Backstage) -> None:
    """Law 1: looked up for each file. The file stays where it can be taken up again."""
    account = backstage.register(new_client("gone", "system/Observation.c"))
    backstage.revoke(account)
    inbox.put("a.json", weight(70_000))
    done = inbox.watch("--client-id", account.id)
    assert (done.code, "revoked" in done.err, inbox.left()) == (1, True, ["a.json"])


def test_a_client_without_the_scope_takes_in_nothing(inbox: Inbox, another: Any) -> None:
    inbox.put("a.json", weight(70_000))
    inbox.watch("--client-id", another("system/Patient.r").account.id)
    assert "forbidden" in (inbox.directory / "refused" / "a.json.json").read_text()


def test_every_file_has_a_record_under_the_name_of_who_watches(inbox: Inbox, backstage: Backstage) -> None:
    """Law 2."""
    inbox.put("a.json", weight(70_000))
    assert "ingest" in {one.kind for one in backstage.recorded_by(inbox.watch)}


def test_nothing_of_the_names_of_files_is_said(inbox: Inbox) -> None:
    """Law 4: they are often a person's."""
    inbox.put("jeanne-martin.json", weight(70_000))
    inbox.put("jeanne-martin-2.json", b"nonsense")
    done = inbox.watch()
    assert "jeanne" not in done.out + done.err


def test_two_watchers_share_a_folder_and_each_file_is_anybodys_once(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}").write_bytes(b"")
    one, other = Folder(tmp_path, 0), Folder(tmp_path, 0)
    with one.open(), other.open():
        claimed = [folder.claim(1e12) for _ in range(11) for folder in (one, other)]
        assert one.take_back() + other.take_back() == sorted([c for c in claimed[::2] if c], key=lambda c: c.id) + sorted(
            [c for c in claimed[1::2] if c], key=lambda c: c.id
        )
    assert len({c.path.name for c in claimed if c}) == 20


def test_what_was_claimed_by_a_watcher_that_died_is_taken_back_and_what_a_living_one_has_is_not(tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / f"{number}").write_bytes(b"")
    living, dead, next_ = Folder(tmp_path, 0), Folder(tmp_path, 0), Folder(tmp_path, 0)
    with living.open():
        kept = living.claim(1e12)
        with dead.open():
            left = dead.claim(1e12)
        with next_.open():
            taken = next_.take_back()
            assert left is not None
            assert kept is not None
            assert [(one.id, one.attempt) for one in taken] == [(left.id, 2)]
            assert kept.path.exists()


class Pieces:
    """Reads a number a line, as readings of a scale, and counts how far it has read."""

    manifest = adapters()["withings"].manifest

    def __init__(self) -> None:
        self.read = 0

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterator[Item]:
        raise AssertionError(f"read as a whole: {len(payload)} bytes, {context}")

    def decode_stream(self, source: Source, context: Context = NO_CONTEXT) -> Iterator[Item]:
        left = b""
        while piece := source.read(1_000):
            *lines, left = (left + piece).split(b"\n")
            for line in lines:
                self.read += 1
                yield from adapters()["withings"].decode(weight(70_000 + int(line), int(line)), context)


def test_a_large_file_is_read_in_pieces_where_its_adapter_can(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"".join(b"%d\n" % number for number in range(100_000)))
    adapter = Pieces()
    items = decoded(tmp_path / "large", Mapping(adapter=adapter, client="c"), 10, Again(tmp_path / "large").read_at)
    for _ in range(5):
        next(items)
    items.close()
    assert adapter.read == 5


def test_a_file_over_which_the_hub_ends_again_and_again_is_put_aside(
    backstage: Backstage, vendor: Caller, unit: str, tmp_path: Path
) -> None:
    """It would keep all others from being taken in."""
    (tmp_path / "poison").write_bytes(weight(70_000))
    for _ in range(4):
        folder = Folder(tmp_path, 0)
        with folder.open():
            assert folder.take_back() or folder.claim(1e12)
    senders = Senders(services=backstage.hub.services, find_client=backstage.hub.oauth.find_client)
    mapping = Mapping(adapter=adapters()["withings"], client=vendor.account.id, device=unit)
    told: list[str] = []

    async def watch() -> None:
        await Watch(senders, Folder(tmp_path, 0), mapping, lambda taken: told.append(taken.state)).run(None, asyncio.Event())

    backstage.run(watch())
    assert told == ["refused"]
    assert "again and again" in (tmp_path / "refused" / "poison.json").read_text()


def test_a_recording_is_stored_whole_where_it_is_the_last_of_its_file_packed_or_not(
    running: Running, ehr: Caller, backstage: Backstage, tmp_path: Path
) -> None:
    """Its bytes are read from the file once more when the last item has been read: two minutes are too long for a strip."""
    person = ehr.create(patient())["id"]
    backstage.pair(identifier_system("edf"), f"W-{person}", f"Patient/{person}", from_us=0)
    folder = Inbox(running, tmp_path / "inbox", ehr.account, f"W-{person}")
    payloads = [
        bytes(File(date=f"0{day}.03.24", signals=[Signal(label="EEG Fpz-Cz", records=[[day, second] * 128 for second in range(120)])]))
        for day in (1, 2)
    ]
    folder.put("one.edf", payloads[0])
    folder.put("two.edf.gz", gzip.compress(payloads[1]))
    done = folder.watch("--adapter", "edf", "--time-zone", "Europe/Paris")
    assert (done.code, done.lines()) == (0, [{"state": "done", "fates": {"stored": 1}}] * 2)
    for name, payload in zip(("one.edf", "two.edf.gz"), payloads, strict=True):
        (fate,) = folder.answers(name)
        document = ehr.get(ehr.get(fate["resource"]).json()["derivedFrom"][0]["reference"]).json()
        content = ehr.get(document["content"][0]["attachment"]["url"], headers={"Accept": "application/edf"}).content
        assert content[512:] == payload[512:]


def test_a_file_over_which_the_hub_fails_is_put_aside_and_others_go_on(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the error is; nothing of its words, which may repeat values, is written (law 4)."""
    run = Pipeline.run

    async def fails_over_one(self: Pipeline, items: Sequence[Item]) -> Sequence[Answer]:
        if len(items) == 2:
            raise ZeroDivisionError("70 kg")
        return await run(self, items)

    monkeypatch.setattr(Pipeline, "run", fails_over_one)
    inbox.put("bad.json", withings(group(1, (WEIGHT, 70, 0)), group(2, (WEIGHT, 71, 0))))
    inbox.put("good.json", weight(70_000))
    done = inbox.watch()
    assert (done.code, [line["state"] for line in done.lines()]) == (0, ["refused", "done"])
    why = (inbox.directory / "refused" / "bad.json.json").read_text()
    assert ("exception" in why, "70 kg" in why + done.err) == (True, False)
