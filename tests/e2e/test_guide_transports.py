"""The guide to transports: every command in it exists with the options it is shown with, and the examples run. docs/guides/transports.md"""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import typer

from hub.cli.main import app
from hub.ingest.clouds import CLOUDS
from hub.ingest.hooks import SCHEMES
from tests.support.apple import export
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.fixtures import Running
from tests.support.payloads import identifier_system
from tests.support.resources import patient

GUIDE = (Path(__file__).parents[2] / "docs" / "guides" / "transports.md").read_text()
OPTION = re.compile(r"--[a-z][a-z-]+")


def commands() -> list[str]:
    """Every `hub …` of the guide, in blocks and in the text."""
    blocks = [line.strip() for block in re.findall(r"```\n(.*?)```", GUIDE, re.DOTALL) for line in block.splitlines()]
    spoken = re.findall(r"`(hub [^`]+)`", re.sub(r"```.*?```", "", GUIDE, flags=re.DOTALL))
    return sorted({one for one in (*blocks, *spoken) if one.startswith("hub ")})


def resolved(words: list[str]) -> Iterator[Any]:
    """The command that the words name, each group on the way first."""
    command: Any = typer.main.get_command(app)
    for word in words:
        command = command.get_command(None, word) if hasattr(command, "get_command") else None
        if command is None:
            return
        yield command


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_guide_exists_with_its_options(line: str) -> None:
    words = line.replace("…", "x").split()[1:]
    found = list(resolved(words))
    assert found, line
    known = {name for parameter in found[-1].params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert set(OPTION.findall(line)) <= known, line


def example(start: str, placed: Mapping[str, str]) -> list[str]:
    """The words of the example that begins so, with what stands for a value put in its place."""
    (line,) = [one for one in commands() if one.startswith(start)]
    for written, meant in placed.items():
        assert written in line, (written, line)
        line = line.replace(written, meant)
    return shlex.split(line)[1:]


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


def test_a_folder_is_watched_as_shown(running: Running, vendor: Caller, tmp_path: Path) -> None:
    words = example("hub watch /srv", {"/srv/inbox": str(tmp_path), "--client-id …": f"--client-id {vendor.account.id}"})
    done = running.process.command(*words, "--once")
    assert done.code == 0, done.err
    assert (tmp_path / "done").is_dir()


def test_a_long_payload_is_sent_as_shown(running: Running, ehr: Caller, backstage: Backstage, person: str, tmp_path: Path) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "export.xml"
    key.write_bytes(ehr.account.key)
    file.write_bytes(export(5))
    backstage.pair(identifier_system("apple-health"), person, f"Patient/{person}", from_us=0)
    placed = {"export.xml": str(file), "https://hub.example.org": running.process.url, "--client-id …": f"--client-id {ehr.account.id}"}
    words = example("hub ingest apple-health", {**placed, "--key …": f"--key {key}"})
    done = running.process.command(*words, "--device", person, data=False)
    assert [one["fate"] for one in done.lines()] == ["stored"] * 5, done.err


def test_a_webhook_is_set_up_and_changed_as_shown(running: Running, vendor: Caller) -> None:
    made = running.process.invoke(*example("hub webhook add", {"--client-id …": f"--client-id {vendor.account.id}"}))
    assert made.json()["path"].startswith("/webhooks/withings?hook=")
    changed = running.process.invoke(*example("hub webhook rotate", {"HOOK": made.json()["hook"]}))
    assert changed.json()["secret"] != made.json()["secret"]


def test_a_patient_is_invited_and_a_quota_is_shown_as_written(running: Running, vendor: Caller, person: str) -> None:
    placed = {"--client-id …": f"--client-id {vendor.account.id}", "Patient/ID": f"Patient/{person}"}
    invited = running.process.invoke(*example("hub poll invite withings", placed))
    assert invited.json()["path"].startswith("/clouds/link?invitation=")
    assert running.process.invoke(*example("hub client quota", {"CLIENT_ID": vendor.account.id})).json()["requests_left"] >= 0


def test_the_guide_names_every_scheme_and_every_feed() -> None:
    feeds = [feed.name for cloud in CLOUDS.values() for feed in (cloud, *cloud.further)]
    assert [name for name in (*SCHEMES, *feeds) if f"`{name}`" not in GUIDE] == []
