"""docs/guides/ehr.md in a shell, as it is printed, from top to bottom: each answer has what the page shows of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.fixtures import Running

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/ehr.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```\n", re.MULTILINE | re.DOTALL)
ANY = "…"
SHELL_S = 600
END = "--- end of block"
HEADER = re.compile(r"HTTP/1\.1 \d{3}.*|[a-z-]+: .*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Example:
    """A block of commands, and what the page shows of the answers: `kind` is "" where it shows nothing."""

    line: int
    commands: str
    kind: str
    shown: str


def examples() -> Iterator[Example]:
    text = GUIDE.read_text()
    found = [(text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in BLOCK.finditer(text)]
    for (line, language, commands), (_, kind, shown) in pairwise([*found, (0, "", "")]):
        if language == "sh":
            yield Example(line, commands, *(("", "") if kind == "sh" else (kind, shown)))


EXAMPLES = list(examples())


@pytest.fixture(scope="module")
def outputs(running: Running, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one shell prints for each block; the first that fails ends it."""
    directory = tmp_path_factory.mktemp("guide")
    script = "".join(f"{one.commands}\necho\necho '{END}'\n" for one in EXAMPLES)
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": commands, "HUB": running.process.url, "HUB_DATA_DIR": str(running.process.data_dir)}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        cwd=directory,
        env=environment,
        timeout=SHELL_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(f"{END}\n")


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


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: f"line {EXAMPLES[number].line}")
def test_each_example_of_the_guide_answers_what_it_shows(outputs: list[str], number: int) -> None:
    """What is printed is what one pastes; and what is shown of the answer is in the answer."""
    example, output = EXAMPLES[number], outputs[number]
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


def test_the_guide_shows_every_kind_of_interaction() -> None:
    """What an integrator looks for first is there, and runs."""
    commands = "".join(one.commands for one in EXAMPLES)
    wanted = (
        "--json|-X PUT|-X PATCH|-X DELETE|json-patch+json|If-Match|If-None-Match|If-None-Exist|?identifier=|transaction|batch|X-Provenance"
        "|_include|_has|_sort|_search|_history|$NEXT|handling=lenient|$everything|$lastn|$stats|$validate?|$expand|$validate-code|$meta-add|X-Security-Context"
    )
    assert [one for one in wanted.split("|") if one not in commands.replace("\\$", "$")] == []
