"""docs/guides/ehr.md in a shell, as it is printed, from top to bottom: each answer has what the page shows of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.fixtures import Running
from tests.support.guides import END, check, examples, script_of

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/ehr.md"
SHELL_S = 900
EXAMPLES = list(examples(GUIDE))


@pytest.fixture(scope="module")
def outputs(running: Running, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What one shell prints for each block; the first that fails ends it."""
    directory = tmp_path_factory.mktemp("guide")
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": commands, "HUB": running.process.url, "HUB_DATA_DIR": str(running.process.data_dir)}
    done = subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", script_of(EXAMPLES)],
        capture_output=True,
        text=True,
        cwd=directory,
        env=environment,
        timeout=SHELL_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split(f"{END}\n")


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: f"line {EXAMPLES[number].line}")
def test_each_example_of_the_guide_answers_what_it_shows(outputs: list[str], number: int) -> None:
    """What is printed is what one pastes; and what is shown of the answer is in the answer."""
    check(EXAMPLES[number], outputs[number])


def test_the_guide_shows_every_kind_of_interaction() -> None:
    """What an integrator looks for first is there, and runs."""
    commands = "".join(one.commands for one in EXAMPLES)
    wanted = (
        "--json|-X PUT|-X PATCH|-X DELETE|json-patch+json|If-Match|If-None-Match|If-None-Exist|?identifier=|transaction|batch|X-Provenance"
        "|_include|_has|_sort|_search|_history|$NEXT|handling=lenient|$everything|$lastn|$stats|$validate?|$expand|$validate-code|$meta-add|X-Security-Context"
    )
    assert [one for one in wanted.split("|") if one not in commands.replace("\\$", "$")] == []
