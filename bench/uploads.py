"""python -m bench.uploads: the memory that a hub takes for a recording and for an export of Apple Health, of any size, over HTTP.

Both are made while they are sent. Peak memory is that of the hub's process (VmHWM), without its database; the floor is the same hub
after one short payload.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx

from bench.exports import TAIL, Export
from tests.support.backstage import Account, Backstage, new_client
from tests.support.caller import Caller, http_client
from tests.support.edf import File, Signal
from tests.support.payloads import identifier_system
from tests.support.process import HubProcess
from tests.support.resources import patient

PIECE_BYTES = 1024 * 1024
CHANNELS, RATE = 32, 512
EVENT = b'<WorkoutEvent type="HKWorkoutEventTypeSegment" date="2024-01-01 00:00:00 +0100" duration="%d" unit="%d"/>'
SCOPE = "system/*.cruds"
TIMEOUT_S = 1_800


def recording(size: int) -> Iterator[bytes]:
    """EDF of 32 channels, 512 samples a second each, of noise: nothing that compresses well."""
    second = 2 * CHANNELS * RATE
    count = max(60, size // second)
    head = bytes(File(signals=[Signal(label=f"EEG {n}", records=[[0] * RATE]) for n in range(CHANNELS)], records=count))
    yield head[: 256 * (CHANNELS + 1)]
    chance = random.Random(1)
    noise = [chance.randbytes(second) for _ in range(61)]
    for number in range(count):
        yield noise[number % len(noise)]


def export(size: int, share: float) -> Iterator[bytes]:
    """Of Apple Health: for `share` of its size records, then workouts with a thousand events each, which are told to be unread."""
    file, made = Export(int(size * share)), 0
    while piece := file.read(PIECE_BYTES):
        made += len(piece)
        yield piece.removesuffix(TAIL)
    number = 0
    while made < size:
        number += 1
        piece = b'<Workout sourceName="Watch">' + b"".join(EVENT % (number, event) for event in range(1_000)) + b"</Workout>\n"
        made += len(piece)
        yield piece
    yield TAIL


def memory_mib(process: HubProcess) -> float:
    """The most that it ever had."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def sent(caller: Caller, adapter: str, body: Iterator[bytes], device: str) -> tuple[int, float, float]:
    """Answers, seconds to the first one, seconds in all."""
    headers = {"Authorization": f"Bearer {caller.token}", "Accept": "application/x-ndjson"}
    query = {"device": device, "timeZone": "Europe/Paris"}
    began, first, answers = time.monotonic(), 0.0, 0
    with caller.http.stream("POST", f"/ingest/{adapter}", content=body, params=query, headers=headers, timeout=TIMEOUT_S) as answer:
        answer.raise_for_status()
        for piece in answer.iter_raw():
            first = first or time.monotonic() - began
            answers += piece.count(b"\n")
    return answers, first, time.monotonic() - began


def measure(process: HubProcess, name: str, caller: Caller, device: str, gigabytes: float, share: float) -> None:
    made = recording if name == "edf" else partial(export, share=share)
    sent(caller, name, made(40_000_000), device)
    floor = memory_mib(process)
    answers, first, seconds = sent(caller, name, made(int(gigabytes * 1e9)), device)
    print(f"{name}, {gigabytes:g} GB: {answers:,} answers, the first after {first:.0f} s, the last after {seconds:.0f} s")
    print(f"{name}: {floor:.0f} MiB at most with 0.04 GB, {memory_mib(process):.0f} MiB at most with {gigabytes:g} GB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.uploads", description=__doc__)
    parser.add_argument("--recording-gb", type=float, default=1.0)
    parser.add_argument("--export-gb", type=float, default=2.0)
    parser.add_argument("--records-share", type=float, default=1.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as directory:
        process = HubProcess(Path(directory) / "data").start()
        try:
            with http_client(process.url) as http:
                caller = Caller(http, _account(process))
                person = caller.create(patient())["id"]
                for name, gigabytes in (("edf", asked.recording_gb), ("apple-health", asked.export_gb)):
                    if gigabytes:
                        _pair(process, name, person)
                        measure(process, name, caller, name, gigabytes, asked.records_share)
        except httpx.HTTPError as error:
            print(f"broke off: {type(error).__name__}")
            raise
        finally:
            process.stop()


def _account(process: HubProcess) -> Account:
    with Backstage(process.data_dir, process.url) as backstage:
        return backstage.register(new_client("bench", SCOPE, consent_default="opt-out", recorder=True))


def _pair(process: HubProcess, adapter: str, person: str) -> None:
    with Backstage(process.data_dir, process.url) as backstage:
        backstage.pair(identifier_system(adapter), adapter, f"Patient/{person}", from_us=0)


if __name__ == "__main__":
    main()
