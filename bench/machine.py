"""The machine: how big, how busy with other things, and what a process of ours takes of it."""

import os
import platform
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from time import sleep
from typing import Any

TICKS = os.sysconf("SC_CLK_TCK")
BUSY_SHARE = 0.15
"""From here on the machine is called busy: other processes take this much of it while we do nothing."""


@contextmanager
def aside() -> Iterator[ProcessPoolExecutor]:
    """A process of its own for the load and for the floors, so that both have the same place on the machine."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        pool.submit(os.getpid).result()  # started now, and not inside the first measurement
        yield pool


def described() -> Mapping[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


@dataclass(frozen=True, slots=True)
class _Ticks:
    busy: int
    all: int


def busy_share(seconds: float) -> float | None:
    """How much of the machine is in use now; None where it cannot be seen. Ask while nothing of ours runs."""
    try:
        before = _ticks()
        sleep(seconds)
        after = _ticks()
    except OSError:
        return None
    return (after.busy - before.busy) / max(1, after.all - before.all)


def _ticks() -> _Ticks:
    """proc(5), /proc/stat: user nice system idle iowait irq softirq steal. What is stolen is busy: we do not get it."""
    numbers = [int(one) for one in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = numbers[3] + numbers[4]
    return _Ticks(busy=sum(numbers) - idle, all=sum(numbers))


def cpu_s(pid: int | None) -> float | None:
    """Processor time a process has taken so far, its threads included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / TICKS


def forget_peak(pid: int | None) -> None:
    """proc(5), clear_refs: writing 5 sets the peak back to what is resident now."""
    try:
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    except OSError:
        return


def peak_mb(pid: int | None) -> float | None:
    """Largest resident size since the process began or `forget_peak`."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    return next((round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmHWM")), None)


def drop_from_cache(*roots: Path) -> int:
    """Ask the system to forget the contents of these files (posix_fadvise), so that the next read is cold. How many."""
    files = [file for root in roots for file in ([root] if root.is_file() else root.rglob("*"))]
    if not hasattr(os, "posix_fadvise"):
        return 0
    return sum(_dropped(file) for file in files if file.is_file())


def _dropped(file: Path) -> bool:
    try:
        handle = os.open(file, os.O_RDONLY)
    except OSError:
        return False
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)
    return True


def load_average() -> float:
    """Of the last minute."""
    return os.getloadavg()[0]
