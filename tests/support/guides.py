"""Guides are executed as they are printed: their blocks of commands, and what they show of the answers."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
ANY = "…"
END = "--- end of block"
HEADER = re.compile(r"HTTP/1\.1 \d{3}.*|[a-z-]+: .*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Example:
    """A block of commands, and what the page shows of the answers: `kind` is "" where it shows nothing."""

    line: int
    commands: str
    kind: str
    shown: str


def examples(guide: Path) -> Iterator[Example]:
    text = guide.read_text()
    found = [(text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in BLOCK.finditer(text)]
    for (line, language, commands), (_, kind, shown) in pairwise([*found, (0, "", "")]):
        if language == "sh":
            yield Example(line, commands, *(("", "") if kind == "sh" else (kind, shown)))


def script_of(found: list[Example]) -> str:
    """All blocks in one shell, with a line after the output of each."""
    return "".join(f"{one.commands}\necho\necho '{END}'\n" for one in found)


def agrees(shown: Any, found: Any) -> bool:
    """Is everything that is shown in what was found? `…` is any text, and at the end of an array any more."""
    if isinstance(shown, dict):
        return isinstance(found, dict) and all(name in found and agrees(value, found[name]) for name, value in shown.items())
    if isinstance(shown, list):
        rest = shown[-1:] == [ANY]
        known = shown[:-1] if rest else shown
        long_enough = isinstance(found, list) and (len(found) >= len(known) if rest else len(found) == len(known))
        return long_enough and all(map(agrees, known, found))
    if isinstance(shown, str) and isinstance(found, str) and ANY in shown:
        return re.fullmatch(".+".join(map(re.escape, shown.split(ANY))), found, re.DOTALL) is not None
    # 116.0 is not 116: digits are part of a decimal.
    return type(shown) is type(found) and str(shown) == str(found)


def documents(text: str) -> list[Any]:
    """The JSON of a text, one after the other."""
    decoder, made, place = json.JSONDecoder(parse_float=Decimal), [], 0
    while (place := next((at for at in range(place, len(text)) if not text[at].isspace()), len(text))) < len(text):
        found, place = decoder.raw_decode(text, place)
        made.append(found)
    return made


def headers_and_rest(text: str) -> tuple[list[str], str]:
    lines = text.splitlines()
    heads = [line.strip() for line in lines if HEADER.fullmatch(line.strip())]
    return heads, "\n".join(line for line in lines if line.strip() and not HEADER.fullmatch(line.strip()))


def in_order(shown: list[str], found: list[str]) -> bool:
    """Each line that is shown comes, one after the other."""
    rest = iter(found)
    return all(any(agrees(line.lower(), other.lower()) for other in rest) for line in shown)


def check(example: Example, output: str) -> None:
    """What is shown of the answer is in the answer."""
    match example.kind:
        case "json":
            shown, found = documents(example.shown), documents(output)
            assert len(shown) == len(found), output
            assert [output for one, other in zip(shown, found, strict=True) if not agrees(one, other)] == []
        case "http":
            heads, rest = headers_and_rest(example.shown)
            found_heads, found_rest = headers_and_rest(output)
            assert in_order(heads, found_heads), output
            if rest:
                assert agrees(documents(rest)[-1], documents(found_rest)[-1]), output
        case "text":
            assert agrees(example.shown.strip(), output.strip()), output
        case _:
            assert "OperationOutcome" not in output
