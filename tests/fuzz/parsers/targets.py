"""What is fuzzed: every installed adapter, found as the hub finds it, and the parsers of transports and mappings.

A new adapter is a target without a line here; its seeds are its fixtures, the real samples of its format, and its items alone.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path

from adapters.contract import Adapter
from adapters.discovery import GROUP
from tests.fuzz.parsers import transports
from tests.fuzz.parsers.mutators import TEXT, Mutator, by_marks, fixed_width, markup
from tests.fuzz.parsers.promises import keeps_adapter_promises
from tests.fuzz.parsers.seeds import TRANSPORT_SEEDS, adapter_seeds
from tests.fuzz.parsers.structured import fit_file, json_places, scp_file, zipped

ROOT = Path(__file__).resolve().parents[3]
BYTES_MAX = 2_048
"""Of one input: a parser that goes wrong goes wrong on little, and little is quick."""
WORD = re.compile(rb"[A-Za-z0-9_][A-Za-z0-9_.:^-]{1,40}")

JSON = (json_places, json_places, json_places, *TEXT)
CSV = (by_marks(b",", b";", b"\n", b"\t", b'"'), by_marks(b",", b"\n"), *TEXT)
HL7 = (by_marks(b"|", b"\r", b"^", b"&", b"~"), by_marks(b"|", b"\r"), *TEXT)
XML = (markup, markup, *TEXT)
MUTATORS: Mapping[str, tuple[Mutator, ...]] = {
    "application/json": JSON,
    "application/x-ndjson": JSON,
    "text/csv": CSV,
    "application/hl7-v2+er7": HL7,
    "application/xml": XML,
    "application/vnd.ant.fit": (fit_file,),
    "application/scp-ecg": (scp_file,),
    "application/zip": (zipped,),
    "application/edf": (fixed_width,),
}
TRANSPORTS: Mapping[str, tuple[Callable[[bytes], None], tuple[Mutator, ...]]] = {
    "mllp-frames": (transports.frames, (by_marks(b"\x0b", b"\x1c", b"\r"),)),
    "mllp-acknowledgement": (transports.acknowledged, HL7),
    "webhook-signatures": (transports.signatures, (by_marks(b"\n", b":", b".", b",", b" "),)),
    "mqtt-topics": (transports.topics, (by_marks(b"/", b"=", b"@", b";", b"\n"),)),
    "gzip": (transports.packed, ()),
    "pings": (transports.pinged, (by_marks(b"&", b"="),)),
    "clouds": (transports.clouds, JSON),
    "expressions": (transports.expressions, (by_marks(b".", b"[", b"]", b"|", b"'", b"("), *TEXT)),
    "mappings": (transports.mappings, (by_marks(b"\n", b":", b" ", b"'"), by_marks(b"\n"), *TEXT)),
    "iomt-templates": (transports.templates, JSON),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`run` raises for what must not be, `closely` also for what costs too much to look at each time. `words`: of the format."""

    name: str
    run: Callable[[bytes], None]
    closely: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    words: Callable[[], Iterable[bytes]]
    mutators: tuple[Mutator, ...]


def names() -> list[str]:
    return [*sorted(point.name for point in entry_points(group=GROUP)), *TRANSPORTS]


def target(name: str) -> Target:
    """Raises StopIteration for a name that is none."""
    if name in TRANSPORTS:
        run, mutators = TRANSPORTS[name]
        seeds = TRANSPORT_SEEDS[name]
        return Target(name=name, run=run, closely=run, seeds=seeds, words=lambda: words_of(seeds()), mutators=mutators)
    point = next(point for point in entry_points(group=GROUP) if point.name == name)
    adapter: Adapter = point.load()
    mutators = next((MUTATORS[type] for type in adapter.manifest.media_types if type in MUTATORS), ())
    seeds = partial(adapter_seeds, adapter)
    return Target(
        name=name,
        run=partial(keeps_adapter_promises, adapter),
        closely=partial(keeps_adapter_promises, adapter, closely=True),
        seeds=seeds,
        words=lambda: {*words_of(seeds()), *literals(point)},
        mutators=mutators,
    )


def words_of(payloads: Iterable[bytes]) -> Iterator[bytes]:
    for payload in payloads:
        yield from WORD.findall(payload)


def literals(point: EntryPoint) -> Iterator[bytes]:
    """The texts in an adapter's own modules: what its parser looks for."""
    spec = find_spec(point.module)
    folder = Path(spec.origin).parent if spec is not None and spec.origin else ROOT
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and 1 < len(node.value) <= 40 and "\n" not in node.value:
                yield node.value.encode("utf-8", "replace")
