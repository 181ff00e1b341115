"""What a plan found, for people: each row that would change with its elements old and new, as JSON or as a page.

Values are health data, though nobody is named: the files are for who asked, and readable by nobody else.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from html import escape
from pathlib import Path
from typing import IO, Any, Final, Protocol

import orjson

from hub.ingest.rederive.derived import Derived

PAGE_ROWS_MAX: Final = 5_000
"""A browser has to show them. The JSON has all."""

WORDS: Final[Mapping[str, str]] = {
    "unchanged": "the same comes out",
    "changed": "another content under the same key: a new version",
    "moved": "another key: the old one is entered in error, a new one takes its place",
    "nothing": "nothing comes out that may be stored",
    "elsewhere": "what comes out is of a time at which somebody else had the unit, or of somebody else by its own words",
    "stuck": "its place is held by a reading that stays: left as it is",
    "not-permitted": "the patient does not permit it (any more)",
    "sender-gone": "the client that sent it is none any more",
    "sender-unknown": "kept before it was noted who sent it; say --client",
    "raw-unreadable": "what was kept cannot be read",
    "content-missing": "the bytes of the recording are not here any more",
    "content-too-long": "the recording is longer than 64 MB, and its adapter does not read in pieces; send it again",
    "ambiguous": "several readings could take its place",
}
STYLE: Final = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; display: block; overflow-x: auto; }
th, td { text-align: left; padding: .3rem .8rem; border-bottom: 1px solid #8888; vertical-align: top; }
td { overflow-wrap: anywhere; } code { font-size: .9em; }
del { color: #a40000; } ins { color: #0a5c0a; text-decoration: none; }
@media (prefers-color-scheme: dark) { del { color: #ff9d9d; } ins { color: #9be29b; } }
"""


class Report(Protocol):
    def add(self, derived: Derived) -> None: ...
    def end(self, summary: Mapping[str, Any]) -> None: ...


def entry(derived: Derived) -> dict[str, Any]:
    """One row, without whose it is."""
    made: dict[str, Any] = {"resource": derived.stored.row, "version": derived.stored.version, "kind": derived.kind}
    if derived.becomes is not None:
        made["becomes"] = derived.becomes
    if derived.code:
        made["code"] = derived.code
    made["changes"] = [{"path": one.path, "old": one.old, "new": one.new} for one in derived.changes]
    return made


@contextmanager
def reporting(path: Path | None) -> Iterator[Report]:
    """A `private` file of this name; a page if it ends so, else JSON. Raises FileExistsError, OSError."""
    if path is None:
        yield NoReport()
        return
    with private(path) as file:
        yield HtmlReport(file) if path.suffix in (".html", ".htm") else JsonReport(file)


@contextmanager
def private(path: Path) -> Iterator[IO[bytes]]:
    """A new file for its owner alone, named once it is whole: what fails leaves none in the way. Raises FileExistsError, OSError."""
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        if path.exists():
            raise FileExistsError(path)
        Path(draft).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(draft).unlink()


class NoReport:
    def add(self, derived: Derived) -> None:
        """Nobody asked."""

    def end(self, summary: Mapping[str, Any]) -> None:
        """Nobody asked."""


class JsonReport:
    """Written as it comes: nothing is held."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._between = b'{"rows":['

    def add(self, derived: Derived) -> None:
        self._file.write(self._between + b"\n" + orjson.dumps(entry(derived)))
        self._between = b","

    def end(self, summary: Mapping[str, Any]) -> None:
        opened = self._between if self._between != b"," else b""
        self._file.write(opened + b'\n],"summary":' + orjson.dumps(dict(summary), option=orjson.OPT_INDENT_2) + b"}\n")


class HtmlReport:
    """A page that loads nothing and runs nothing."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._rows: list[dict[str, Any]] = []
        self._more = 0

    def add(self, derived: Derived) -> None:
        if len(self._rows) < PAGE_ROWS_MAX:
            self._rows.append(entry(derived))
        else:
            self._more += 1

    def end(self, summary: Mapping[str, Any]) -> None:
        self._file.write(page(summary, self._rows, self._more).encode())


def page(summary: Mapping[str, Any], rows: list[dict[str, Any]], more: int) -> str:
    adapter, stuck = f"{summary['adapter']} {summary['mappingVersion']}", summary["stuck"]
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Re-derivation with {escape(adapter)}</title><style>{STYLE}</style></head><body>",
        f"<h1>Re-derivation with {escape(adapter)}</h1><p>Planned {escape(str(summary['made']))}. Nothing has been changed.</p>",
        _counts("What would become of the readings", summary["kinds"]),
        _counts("Left alone and not shown", summary["left"]),
        "<h2>Each reading that would change</h2>",
        f"<p>{summary['beyond']} of them were not asked for: others take their place.</p>" if summary["beyond"] else "",
        *(_row({**one, "kind": "stuck", "code": stuck[one["resource"]]} if one["resource"] in stuck else one) for one in rows),
    ]
    if not rows:
        parts.append("<p>None.</p>")
    if more:
        parts.append(f"<p>And {more} more: the report as JSON has all.</p>")
    return "".join(parts) + "</body></html>\n"


def _counts(title: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    rows = "".join(
        f"<tr><th scope='row'><code>{escape(name)}</code></th><td>{escape(WORDS.get(name, ''))}</td><td>{count}</td></tr>"
        for name, count in counts.items()
    )
    head = "<thead><tr><th>Kind</th><th>Meaning</th><th>Readings</th></tr></thead>"
    return f"<h2>{escape(title)}</h2><table>{head}<tbody>{rows}</tbody></table>"


def _row(one: Mapping[str, Any]) -> str:
    becomes = f" → <code>{escape(one['becomes'])}</code>" if "becomes" in one else ""
    code = f" ({escape(one['code'])})" if "code" in one else ""
    head = f"<h3><code>{escape(one['resource'])}/_history/{one['version']}</code>{becomes}: {escape(one['kind'])}{code}</h3>"
    if not one["changes"]:
        return head
    cells = "".join(
        f"<tr><th scope='row'><code>{escape(change['path'])}</code></th><td><del>{escape(change['old'] or '')}</del></td>"
        f"<td><ins>{escape(change['new'] or '')}</ins></td></tr>"
        for change in one["changes"]
    )
    return f"{head}<table><thead><tr><th>Element</th><th>Old</th><th>New</th></tr></thead><tbody>{cells}</tbody></table>"
