"""The bench on which the kit runs an adapter: under watch for time, memory and talk, and with the hub's own builders."""

import io
import json
import logging
import resource
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Final, NoReturn

import orjson

from adapters.contract import Adapter, Context, Unreadable
from adapters.kit.rule import Built, Outcome
from adapters.reading import Item, Reading
from fhir_profiles import profiles, r4
from fhir_profiles.building import build
from fhir_profiles.measurement import Recorded
from hub.ingest.doubt import Doubt
from hub.ingest.normalise import normalise

DECODE_S_MAX: Final = 300
"""On the clock, so that a busy machine is no failure: whatever takes longer is taken for one that never ends."""
TIME_ZONE: Final = "Europe/Paris"
"""Stated for wall-clock times, as a sender would."""
RECEIVED_US: Final = 4_102_444_800_000_000
"""2100-01-01: fixtures may be of any day, and what comes of them must not depend on today's."""
LAST_UPDATED: Final = "2026-01-01T00:00:00Z"
_KIB: Final = 1024 if sys.platform == "linux" else 1
_CLEAR_REFS, _PEAK_RSS = Path("/proc/self/clear_refs"), "5"


class TooSlow(BaseException):
    """Not an Exception, so that no adapter catches it."""


class HubBench:
    """Decodes in this process; builds as `hub.ingest` does."""

    def decode(self, adapter: Adapter, payload: bytes, context: Context) -> Outcome:
        items: list[Item] = []
        refusal: Unreadable | None = None
        crash = ""
        before, began = _forgotten_peak(), time.process_time()
        with _listening() as heard:
            try:
                with _within(DECODE_S_MAX):
                    items.extend(adapter.decode(payload, context))
            except Unreadable as error:
                refusal, crash = error, "Unreadable after the first item" if items else ""
            except (Exception, TooSlow) as error:  # noqa: BLE001 - whatever an adapter raises is the finding
                crash = type(error).__name__
        seconds = time.process_time() - began
        return Outcome(
            items=() if crash else tuple(items),
            refusal=refusal,
            crash=crash,
            said=heard.getvalue(),
            seconds=seconds,
            grown=_peak() - before,
        )

    def build(self, reading: Reading) -> Built:
        made = written(reading)
        if isinstance(made, Doubt):
            return Built(doubt=made.code)
        parsed = orjson.loads(made)
        problems = [f"{one.expression}: {one.text}" for one in r4.check(parsed)]
        problems += [f"{one.expression}: {one.text}" for one in profiles.check(parsed) if one.severity == "error"]
        return Built(resource=json.loads(made, parse_float=Decimal), problems=tuple(problems))


def written(reading: Reading) -> bytes | Doubt:
    """The resource as the hub writes it, with all its digits, or why the reading waits."""
    found = normalise(reading, time_zone=TIME_ZONE, patient="Patient/kit", device="Device/kit", received_us=RECEIVED_US)
    if isinstance(found, Doubt):
        return found
    if isinstance(found.value, Recorded):  # the pipeline names the two when it keeps the bytes
        found = replace(found, value=replace(found.value, document="DocumentReference/kit", content="Binary/kit"))
    return build(found, id="kit", version=1, last_updated=LAST_UPDATED)


@contextmanager
def _listening() -> Iterator[io.StringIO]:
    """Everything that is printed or logged meanwhile."""
    heard = io.StringIO()
    handler, root = logging.StreamHandler(heard), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with redirect_stdout(heard), redirect_stderr(heard):
            yield heard
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


@contextmanager
def _within(seconds: int) -> Iterator[None]:
    """Raise TooSlow after so many seconds; signals reach the main thread only, elsewhere nothing is limited."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _forgotten_peak() -> int:
    """The size of the process, in bytes, from which its peak is counted anew: what was large before would hide what grows now.

    https://man7.org/linux/man-pages/man5/proc_pid_clear_refs.5.html; where that cannot be asked for, the peak so far.
    """
    with suppress(OSError):
        _CLEAR_REFS.write_text(_PEAK_RSS)
    return _peak()


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
