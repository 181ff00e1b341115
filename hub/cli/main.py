"""The `hub` command: one file per group of commands, and nothing of a group is read before somebody asks for it.

Reading all of it takes a second of the processor, and `hub token` stands in the loops of people's scripts.
"""

import gc
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_group

GROUPS: Final[Mapping[str, tuple[str, str]]] = {
    "client": ("client", "Applications that may ask for tokens."),
    "demo": ("demo", "Invented patients to try the hub out with."),
    "webhook": ("webhook", "Calls of vendors' clouds, and how they prove themselves."),
    "poll": ("poll", "What patients granted at vendors' clouds."),
    "product": ("product", "Products: what holds for all units of a model."),
    "device": ("devices", "Devices and who wears them when."),
    "quarantine": ("quarantine", "Items that wait for a decision or a repair."),
    "rederive": ("rederive", "Readings read again by a mended mapping."),
    "contents": ("contents", "Bytes and items that go when nothing needs them any more."),
    "audit": ("audit", "Who saw what, why, and whether they were allowed to."),
    "console": ("console", "Pages for those who run the hub."),
    "user": ("user", "People who sign in."),
    "export": ("export", "What is stored, for somebody else's system."),
    "keys": ("keys", "Keys that seal the data, and those that sign tokens."),
    "adapters": ("adapters", "Products and formats the hub reads."),
}
"""Name of the group -> module with its `app`, help."""
COMMANDS: Final = ("serve", "token", "ingest", "mqtt", "watch", "doctor")
"""Each the function of its name in the module of its name."""


class OnDemand(TyperGroup):
    """Knows the names; a command is read when it is asked for, and `--help` asks for all of them."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - as click calls it
        return [*COMMANDS, *GROUPS]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - as click calls it
        if cmd_name not in COMMANDS and cmd_name not in GROUPS:
            return None
        if cmd_name not in self.commands:
            self.commands[cmd_name] = _read(cmd_name)
        return self.commands[cmd_name]


def _read(name: str) -> Any:
    parent = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    parent.callback()(_nothing)
    if name in GROUPS:
        module, said = GROUPS[name]
        parent.add_typer(_module(module).app, name=name, help=said)
    else:
        parent.command(name)(getattr(_module(name), name))
    return get_group(parent).commands[name]


def _module(name: str) -> Any:
    """What a module makes stays for good: to look through it for cycles, time and again, was a sixth of reading it."""
    path = f"hub.cli.{name}"
    if path in sys.modules:
        return sys.modules[path]
    gc.disable()
    try:
        return import_module(path)
    finally:
        gc.freeze()
        gc.enable()


def _nothing() -> None:
    """What the group itself does, beside its commands."""


app = typer.Typer(
    name="hub",
    cls=OnDemand,
    help="A FHIR R4 hub for data from connected health devices.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.callback()(_nothing)
