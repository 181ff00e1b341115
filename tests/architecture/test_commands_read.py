"""A command reads what it needs and no more: `hub token` stands in the loops of people's scripts."""

import subprocess
import sys

import pytest

from hub.cli.main import COMMANDS, GROUPS, OnDemand, app
from tests.architecture.tree import ROOT

LIGHT = ("token", "export")
"""Commands that talk to a hub over HTTP and open nothing of its data."""


@pytest.mark.parametrize("name", LIGHT)
def test_a_command_that_calls_a_hub_reads_nothing_of_its_inside(name: str) -> None:
    """It is called in each round of a loop, and would spend a second of the processor on what it never uses."""
    said = f"import sys; from hub.cli.main import OnDemand; OnDemand().get_command(None, {name!r}); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    assert f"hub.cli.{name}" in done.stdout.split()
    assert {"pymongo", "starlette", "hub.operator", "hub.repository", "hub.app"}.isdisjoint(done.stdout.split())


def test_a_server_reads_nothing_of_the_transports_that_have_a_command_of_their_own() -> None:
    """It is started in each of many tests, and `hub mqtt` is another process."""
    said = "import sys, hub.cli.serve; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    assert "hub.ingest.polling" in done.stdout.split()
    assert {"aiomqtt", "paho"}.isdisjoint(done.stdout.split())


def test_cycles_are_looked_for_again_as_soon_as_a_command_is_read() -> None:
    """But not among what was read: it stays as long as the process."""
    said = (
        "import gc; from hub.cli.main import OnDemand; OnDemand().get_command(None, 'token'); print(gc.isenabled(), gc.get_freeze_count())"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    enabled, kept = done.stdout.split()
    assert enabled == "True"
    assert int(kept) > 0


def test_a_server_looks_for_cycles_again_once_all_is_made_that_stays() -> None:
    """Seldom, for a batch makes many objects that go by themselves."""
    said = "import gc; from hub.cli.serve import settle_garbage; gc.disable(); settle_garbage(); print(gc.isenabled(), *gc.get_threshold())"
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True, timeout=60)
    enabled, *thresholds = done.stdout.split()
    assert enabled == "True"
    assert int(thresholds[0]) > 10_000


def test_every_file_with_commands_is_reached_by_a_name() -> None:
    """A group that is added without a row is a failure, not an oversight."""
    modules = {*COMMANDS, *(module for module, _ in GROUPS.values())}
    named = {path.stem for path in (ROOT / "hub/cli").glob("*.py") if "typer.Typer(" in path.read_text()} - {"main"}
    below = {"client_key", "client_quota", "client_registered", "confirm", "credential", "device"}
    assert named - below <= modules
    assert OnDemand(name="hub").list_commands(None) == [*COMMANDS, *GROUPS]
    assert all(OnDemand(name="hub").get_command(None, name) is not None for name in (*COMMANDS, *GROUPS))
    assert OnDemand(name="hub").get_command(None, "nonsense") is None
    assert app.info.name == "hub"
