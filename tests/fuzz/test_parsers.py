"""A short run, without coverage, of what `python -m tests.fuzz.parsers` does at length (docs/fuzzing.md): whatever a parser is given,
only items or a refusal come out. DEVICES 6.4, hostile; law 4 and law 7."""

import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from adapters.contract import NO_CONTEXT, Adapter, Context, Manifest, Unreadable
from adapters.discovery import adapters
from adapters.reading import Item, Rejected
from tests.fuzz.parsers.mutators import ODD
from tests.fuzz.parsers.promises import Broken, keeps_adapter_promises
from tests.fuzz.parsers.seeds import adapter_seeds, found, payloads
from tests.fuzz.parsers.structured import fit_file, inner, scp_file, zipped
from tests.fuzz.parsers.targets import MUTATORS, TRANSPORTS, names, target
from tests.support.known import fixtures

EACH = 120
LONGEST = 4_096


@pytest.mark.parametrize("path", found(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_was_found_once_stays_mended(path: Path) -> None:
    """The name of the file says what it was."""
    target(path.parent.name).closely(path.read_bytes())


@pytest.mark.parametrize("name", names())
def test_damaged_payloads_give_items_or_a_refusal(name: str) -> None:
    """The same seed gives the same damage."""
    tried, chance = target(name), Random(zlib.crc32(name.encode()))
    seeds, words = sorted(tried.seeds()), sorted(set(tried.words()))
    for _ in range(EACH):
        payload = chance.choice(seeds)
        for _ in range(chance.randint(1, 3)):
            payload = chance.choice(tried.mutators)(chance, payload, words)[:LONGEST] if tried.mutators and payload else payload[:-1]
        tried.run(payload)


def test_every_adapter_and_every_parser_of_a_transport_is_fuzzed() -> None:
    """An adapter that is installed tomorrow is fuzzed without a line here; it begins with payloads that are right."""
    assert set(names()) == {*adapters(), *TRANSPORTS}
    for name, adapter in adapters().items():
        assert len(adapter_seeds(adapter)) > 1, name
        assert any(type in MUTATORS for type in adapter.manifest.media_types), f"{name}: no damage is known for its media types"


@pytest.mark.parametrize(("name", "mutate", "kept"), [("fit", fit_file, 0.3), ("scp-ecg", scp_file, 0.3), ("wfdb", zipped, 0.1)])
def test_damage_behind_a_checksum_gets_past_it(name: str, mutate: Any, kept: float) -> None:
    """Else only the first check of a file would ever be reached."""
    adapter = adapters()[name]
    payload = next(payloads(name))
    damaged = [mutate(Random(seed), payload, ()) for seed in range(100)]
    assert sum(one != payload for one in damaged) > 80
    assert sum(read(adapter, one) for one in damaged) >= 100 * kept


def read(adapter: Adapter, payload: bytes) -> bool:
    try:
        return any(True for _ in adapter.decode(payload))
    except Unreadable:
        return False


JSON_FIXTURES = [path for path in fixtures() if path.suffix == ".json"]


@pytest.mark.parametrize("path", JSON_FIXTURES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_person_who_stays_in_place_is_never_in_an_item_whatever_is_damaged_around_it(path: Any) -> None:
    """Law 4: values of other kinds, missing and odd ones; the names of the fixtures stay where vendors have them."""
    adapter, chance = adapters()[path.parent.name.replace("_", "-")], Random(7)
    for _ in range(40):
        tree = json.loads(path.read_bytes())
        nodes = [node for node in inner(tree) if node]
        for node in chance.sample(nodes, min(3, len(nodes))):
            at: Any = chance.choice(list(node) if isinstance(node, dict) else range(len(node)))
            holder: Any = node
            if not isinstance(holder[at], dict | list):
                holder[at] = chance.choice((None, True, -1, 1e300, [], {}, *ODD[:20]))
        try:
            items = list(adapter.decode(orjson.dumps(tree)))
        except Unreadable as refusal:
            items = [Rejected(code="x", hint=refusal.hint, pointer=refusal.pointer, raw=b"x")]
        assert "ovelace" not in str(items)
        assert "ada@" not in str(items)


@dataclass
class Planted:
    """An adapter with a fault."""

    fault: str
    manifest: Manifest
    turn: int = 0

    def decode(self, payload: bytes, context: Context = NO_CONTEXT) -> Iterable[Item]:  # noqa: ARG002 - as every adapter
        self.turn += 1
        rejected = Rejected(code="x", hint="y", pointer="row 1", raw=payload or b"x")
        match self.fault:
            case "raises":
                raise KeyError("Lovelace")
            case "chains":
                try:
                    {}["Lovelace"]
                except KeyError:
                    raise Unreadable("x", "y")  # noqa: B904 - that is the fault
            case "repeats":
                return [Rejected(code="x", hint="Lovelace is no number", pointer="row 1", raw=b"x")]
            case "forgets":
                return [rejected] if payload else []
            case "changes":
                return [Rejected(code=f"x{self.turn}", hint="y", pointer="row 1", raw=payload or b"x")]
            case "alone":
                return [Rejected(code="x", hint="y", pointer="row 1", raw=b"another")] if payload != b"another" else []
            case _:
                return [Rejected(code="NO CODE", hint="", pointer="?", raw=b"")]


@pytest.mark.parametrize("fault", ["raises", "chains", "repeats", "changes", "alone", "unsound"])
def test_each_fault_that_is_planted_is_found(fault: str) -> None:
    """The net is whole."""
    with pytest.raises((Broken, KeyError)):
        keeps_adapter_promises(Planted(fault, adapters()["withings"].manifest), b"payload", closely=True)


def test_an_adapter_without_a_fault_keeps_its_promises() -> None:
    keeps_adapter_promises(Planted("forgets", adapters()["withings"].manifest), b"payload", closely=True)
