"""docs/guides/vendors.md in a shell, as it is printed, from top to bottom: a stranger's way through the eleven steps. DEVICES 6.2."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.guides import BLOCK, END, Example, agrees, documents
from tests.support.process import ENVIRONMENT, free_port

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/vendors.md"
SHELL_S = 900


def examples() -> Iterator[Example]:
    """Blocks of commands, each with the block that shows what they answer, if there is one."""
    text = GUIDE.read_text()
    found = [(text.count("\n", 0, one.start()) + 1, one[1], one[2]) for one in BLOCK.finditer(text)]
    for (line, language, commands), (_, kind, shown) in pairwise([*found, (0, "", "")]):
        if language == "sh":
            yield Example(line, commands, *(("", "") if kind == "sh" else (kind, shown)))


EXAMPLES = list(examples())


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one shell prints for each block. What it installs lies apart, so that the tests' own environment stays as it is."""
    directory = tmp_path_factory.mktemp("vendor")
    site = str(directory / "site")
    script = "".join(f"{one.commands}\necho\necho '{END}'\n" for one in EXAMPLES)
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**ENVIRONMENT, "PATH": commands, "PORT": str(free_port()), "PIP_TARGET": site, "PYTHONPATH": site}
    shell = subprocess.Popen(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
        env=environment,
        start_new_session=True,
    )
    try:
        out, err = shell.communicate(timeout=SHELL_S)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(shell.pid, signal.SIGKILL)
    assert shell.returncode == 0, out[-2000:] + err
    return out.split(f"{END}\n")


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: f"line {EXAMPLES[number].line}")
def test_each_step_of_the_guide_answers_what_it_shows(outputs: list[str], number: int) -> None:
    """What is printed is what one pastes; and what is shown of the answer is in the answer."""
    example, output = EXAMPLES[number], outputs[number]
    match example.kind:
        case "json":
            shown, found = documents(example.shown), documents(output)
            assert len(shown) == len(found), output
            assert [output for one, other in zip(shown, found, strict=True) if not agrees(one, other)] == []
        case "text":
            assert agrees(example.shown.strip(), output.strip()), output
        case _:
            assert "Error" not in output


def test_the_guide_goes_through_all_eleven_steps() -> None:
    """DEVICES 6.2; what the hub does not have yet is said where it would come."""
    text = GUIDE.read_text()
    assert re.findall(r"^## (\d+)\. ", text, re.MULTILINE) == [str(number) for number in range(1, 12)]
    assert text.count(" yet") >= 5
    commands = "".join(one.commands for one in EXAMPLES)
    assert [one for one in ("new", "test", "simulate", "certify", "verify") if f"hub adapters {one}" not in commands] == []
