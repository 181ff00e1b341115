"""What a run came to, kept in a file so that the next one goes on from there."""

import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

CPU_S_MAX = 2.0
"""Of one input of at most 2,048 octets, with the instrumentation that coverage needs. Time of the processor: a busy machine is no hang."""
GROWTH_MIB_MAX = 64
"""By which one input may raise the peak of the process."""
RSS_MIB_MAX = 1_024
"""Of the process as a whole: beyond it libFuzzer ends it and keeps the input."""
ROOMS = ("/adapters/", "/hub/", "/security/", "/fhir_profiles/", "/tests/fuzz/")
FRAMES_SHOWN = 4


@dataclass(slots=True)
class Figures:
    """Of one target, over all its runs.

    executions   inputs that were run through all promises
    seconds      of wall time, with whatever else the machine did meanwhile
    edges        branches of instrumented code that were reached; corpus: inputs that each reach something of their own
    slowest_s    processor time of the slowest input
    rss_mib      peak of the process: interpreter, corpus, coverage and all; base_mib before the first input
    growth_mib   by how much one input raised that peak at most
    findings     what was found: signature -> how often
    """

    name: str
    executions: int = 0
    seconds: float = 0.0
    edges: int = 0
    corpus: int = 0
    slowest_s: float = 0.0
    slowest: str = ""
    base_mib: float = 0.0
    rss_mib: float = 0.0
    growth_mib: float = 0.0
    findings: dict[str, int] = field(default_factory=dict)


def load(folder: Path, name: str) -> Figures:
    try:
        found: Mapping[str, Any] = json.loads((folder / f"{name}.json").read_text())
    except FileNotFoundError:
        return Figures(name)
    return Figures(**found)


def save(folder: Path, figures: Figures) -> None:
    """Whole or not at all, whenever the process ends."""
    made = folder / f"{figures.name}.json.new"
    made.write_text(json.dumps(asdict(figures), indent=1))
    made.replace(folder / f"{figures.name}.json")


def signature(error: BaseException) -> str:
    """The same fault found by another input has the same one: the kind of exception and where it came from."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if any(room in frame.filename for room in ROOMS)]
    places = " < ".join(
        f"{Path(one.filename).parent.name}/{Path(one.filename).name}:{one.name}" for one in reversed(frames[-FRAMES_SHOWN:])
    )
    text = str(error) if isinstance(error, AssertionError) else re.sub(r"[0-9]+", "0", str(error))[:80]
    return f"{type(error).__name__}: {text} | {places}"


def keep_input(folder: Path, name: str, what: str, payload: bytes) -> None:
    """The shortest input of each finding, with what it finds beside it."""
    place = folder / "findings" / f"{name}-{sha256(what.encode()).hexdigest()[:12]}"
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists() and place.stat().st_size <= len(payload):
        return
    place.write_bytes(payload)
    place.with_suffix(".txt").write_text(f"{what}\n{payload[:2_000]!r}\n")
