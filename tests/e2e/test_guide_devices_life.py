"""docs/guides/devices-life.md in a shell, as it is printed, from top to bottom: each answer has what the page shows of it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.support.fixtures import Running
from tests.support.guides import BLOCK, END, Example, agrees, documents

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/devices-life.md"
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
def outputs(running: Running, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one shell prints for each block; the first that fails ends it."""
    script = "".join(f"{one.commands}\necho\necho '{END}'\n" for one in EXAMPLES)
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": commands, "HUB": running.process.url, "HUB_DATA_DIR": str(running.process.data_dir)}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script],
        capture_output=True,
        text=True,
        cwd=tmp_path_factory.mktemp("devices-life"),
        env=environment,
        timeout=SHELL_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    assert "hub:" in done.stderr, "what is wrong is said"
    return done.stdout.split(f"{END}\n")


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: f"line {EXAMPLES[number].line}")
def test_each_step_of_the_guide_answers_what_it_shows(outputs: list[str], number: int) -> None:
    """What is printed is what one pastes; and what is shown of the answer is in the answer."""
    example, output = EXAMPLES[number], outputs[number]
    if example.kind != "json":
        assert "OperationOutcome" not in output
        return
    shown, found = documents(example.shown), documents(output)
    assert len(shown) == len(found), output
    assert [output for one, other in zip(shown, found, strict=True) if not agrees(one, other)] == []


def test_the_guide_shows_every_command_over_products_and_units() -> None:
    commands = "".join(one.commands for one in EXAMPLES)
    wanted = ("product add", "product show", "product change", "device register", "device status", "device watch", "device exchange")
    assert [one for one in wanted if f"hub {one}" not in commands] == []
