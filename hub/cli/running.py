"""What commands share that go on until they are stopped: watch, mqtt, poll."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

Client = Annotated[str, typer.Option("--client-id", help="The registered client in whose name it is taken in.")]
TimeZone = Annotated[str | None, typer.Option("--time-zone", help="IANA zone of wall-clock times, e.g. Europe/Paris.")]
Device = Annotated[str | None, typer.Option("--device", help="The unit, where the payload does not say it.")]


@contextmanager
def stopping() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set: what is under way is finished, nothing new is begun."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
