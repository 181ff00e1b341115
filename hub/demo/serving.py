"""A hub in a process of its own, for as long as a command runs in the foreground."""

import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn

STOP_TIMEOUT_S: Final = 40
"""Draining and ending the database take seconds; a hub that takes longer than this is killed, which its data bears."""
READY: Final = "ready "

_START: Final = "from hub.cli.main import app; app()"


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Ctrl-C, SIGTERM and a closed terminal all end the command in order, with exit code 0; asking twice changes nothing."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(*_: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(0)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def served(arguments: Sequence[str]) -> Iterator["subprocess.Popen[str]"]:
    """`hub serve` with these arguments; it shares our terminal and process group, and ends before we do."""
    process = _started([sys.executable, "-c", _START, "serve", *arguments])
    try:
        yield process
    finally:
        _end(process)


def is_ready(process: "subprocess.Popen[str]") -> bool:
    """Wait until the hub answers (True) or has given up (False); it has said why on stderr."""
    assert process.stdout is not None  # noqa: S101 - opened by `_started`
    return any(line.startswith(READY) for line in process.stdout)


def _started(command: Sequence[str]) -> "subprocess.Popen[str]":
    # A child inherits what is ignored: Ctrl-C must not meet it before it can drain. It hears us say SIGTERM instead.
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, handler)


def _end(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
