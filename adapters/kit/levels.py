"""Which level each adapter that comes with the hub has reached, and which rules are open: a file that the kit writes and a test holds."""

import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from adapters.contract import Manifest
from adapters.kit.examine import level
from adapters.kit.rule import KIT_VERSION, Result

FILE: Final = "levels.json"
SETTLED: Final = frozenset({"pass", "not-applicable"})


def entry(manifest: Manifest, results: Sequence[Result]) -> dict[str, Any]:
    """What the file says of one adapter: `open` are the rules that stand between it and gold and how each ended, `why` the reasons."""
    still = {one.rule.id: one.status for one in results if one.status not in SETTLED}
    why = {one.rule.id: one.hints[0] for one in results if one.status == "exempt"}
    return {"version": manifest.version, "kit": KIT_VERSION, "level": level(results), "open": still, **({"why": why} if why else {})}


def written(entries: Mapping[str, Mapping[str, Any]]) -> str:
    """The text of the file: an adapter a line."""
    lines = [f"{json.dumps(name)}: {json.dumps(one, ensure_ascii=False)}" for name, one in sorted(entries.items())]
    return "{\n" + ",\n".join(lines) + "\n}\n"


@cache
def known() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = json.loads(files("adapters.kit").joinpath(FILE).read_text("utf-8"))
    return found


def of(manifest: Manifest) -> Mapping[str, Any]:
    """What the file says of this version of an adapter; nothing if it does not know it, as of a vendor's own."""
    found = known().get(manifest.name, {})
    return found if found.get("version") == manifest.version else {}
