"""docs/guides/app.md in a shell, as it is printed, from top to bottom; the browser's part is done by the hub's own pages.

Each answer has what the page shows of it.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.clients.given import HERE
from tests.spec.smart.blackbox.agent import Hands
from tests.spec.smart.blackbox.target import Somebody, Target
from tests.support.fixtures import Running
from tests.support.guides import END, check, examples, script_of

GUIDE = Path(__file__).resolve().parents[2] / "docs/guides/app.md"
EXAMPLES = list(examples(GUIDE))
PASSWORD = "four herons wade at low tide"
SHELL_S = 900
JS = re.compile(r"^```js\n(.*?)^```\n", re.MULTILINE | re.DOTALL)


class Reader:
    """Who follows the guide: opens what is printed, and types where the browser came back to."""

    def __init__(self, running: Running) -> None:
        self._hands = Hands(Target(fhir=f"{running.process.url}/fhir", apps={}, people={}))
        self._who = Somebody(login="alix", password=PASSWORD)

    def opens(self, url: str) -> str | None:
        browser = self._hands.browser(self._who)
        return self._hands.follow(browser, browser.get(url), self._who).url

    def close(self) -> None:
        self._hands.close()


@pytest.fixture(scope="module")
def outputs(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What one shell prints for each block; the first that fails ends it."""
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": commands, "HUB": running.process.url, "HUB_DATA_DIR": str(running.process.data_dir)}
    reader = Reader(running)
    with subprocess.Popen(
        ["bash", "-eu", "-o", "pipefail", "-c", script_of(EXAMPLES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=tmp_path_factory.mktemp("guide-app"),
        env=environment,
    ) as shell:
        yield followed(shell, reader, running.process.url)
        reader.close()
        assert shell.wait(SHELL_S) == 0


def followed(shell: subprocess.Popen[str], reader: Reader, origin: str) -> list[str]:
    """Every line that is an address of the hub is opened; where that leads out of it, the address is typed."""
    assert shell.stdout is not None
    assert shell.stdin is not None
    said = ""
    for line in shell.stdout:
        said += line
        if line.startswith(f"{origin}/") and (back := reader.opens(line.strip())) is not None:
            shell.stdin.write(f"{back}\n")
            shell.stdin.flush()
    return said.split(f"{END}\n")


@pytest.mark.parametrize("number", range(len(EXAMPLES)), ids=lambda number: f"line {EXAMPLES[number].line}")
def test_each_example_of_the_guide_answers_what_it_shows(outputs: list[str], number: int) -> None:
    """What is printed is what one pastes; and what is shown of the answer is in the answer."""
    assert len(outputs) == len(EXAMPLES) + 1, outputs[-1]
    check(EXAMPLES[number], outputs[number])


def test_what_the_guide_shows_of_a_page_is_what_runs_in_a_browser() -> None:
    """The pages of tests/e2e/test_smart_js_client.py hold each line that is shown."""
    pages = "".join((HERE / "smart_js_client" / name).read_text() for name in ("launch.html", "index.html"))
    lines = [line for block in JS.findall(GUIDE.read_text()) for line in block.splitlines()]
    assert lines
    assert [line for line in lines if line not in pages] == []


def test_the_guide_goes_the_whole_way() -> None:
    """What somebody who writes an app looks for first is there, and runs."""
    commands = "".join(one.commands for one in EXAMPLES)
    wanted = ("smart-configuration", "code_challenge_method=S256", "aud=", "authorization_code", "refresh_token", "/oauth/revoke", "state")
    assert [one for one in wanted if one not in commands] == []
