"""What is written down is true, complete and speaks of no particular machine."""

import ast
import re
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.main import get_command

from hub.cli.main import app
from hub.store.embedded.bootstrap import HUB_ROLE_PRIVILEGES, HUB_ROLE_ROLES
from hub.store.schema import INDEXES
from tests.architecture.tree import ROOT, parsed, texts

ADRS = sorted((ROOT / "docs/adr").glob("*.md"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "k8s").rglob("*.md")])
PARTS = ["## Context", "## Decision", "## Consequences", "## What would change our mind"]

INDEX_HOST = re.compile(r"\b(?:pypi|files\.pythonhosted|registry\.npmjs|deb\.debian)\.org\b")
NOBODYS = {Path("/"), Path("/tmp"), Path("/usr"), Path("/usr/local"), Path("/home"), Path("/app")}  # noqa: S108 - a name, not a file
CITED = re.compile(r"https?://|\b(?:DESIGN|SECURITY|DEVICES|RFC|GDPR|EHDS|CSP|NIST|IHE|ISO)\b|\blaws? \d|docs/[\w/-]+\.md|#\w+")
CLAIMS = re.compile(r"\b(?:compli" + r"ant|certi" + r"fied|immu" + r"table|constant[- ]ti" + r"me)\b", re.IGNORECASE)


def docstrings(path: Path) -> str:
    nodes = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef)]
    return "\n".join(ast.get_docstring(node) or "" for node in nodes)


@pytest.mark.parametrize("adr", ADRS, ids=lambda adr: adr.stem)
def test_a_decision_tells_its_context_its_consequences_and_what_would_change_it(adr: Path) -> None:
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+", adr.stem)
    text = adr.read_text()
    assert text.startswith(f"# {int(adr.stem[:4])}. ")
    assert [line for line in text.splitlines() if line.startswith("## ")] == PARTS


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(adr.stem[:4]) for adr in ADRS] == list(range(1, len(ADRS) + 1))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    local = [unquote(target.partition("#")[0]) for target in targets if "://" not in target and not target.startswith("#")]
    assert [target for target in local if not (page.parent / target).exists()] == []


def test_every_page_is_in_the_list_of_pages() -> None:
    listed = set(re.findall(r"\]\(([\w/.-]+\.md)\)", (ROOT / "docs/index.md").read_text()))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md") if page.parent.name != "adr"}
    assert listed == pages - {"index.md"}


def test_named_decisions_and_documents_exist() -> None:
    """Comments cite docs/…; what they cite is there."""
    cited = {(str(path), name) for path, text in texts() for name in re.findall(r"\bdocs/[a-z0-9/_-]+\.md\b", text)}
    assert sorted(one for one in cited if not (ROOT / one[1]).exists()) == []


def test_a_test_of_the_specification_cites_what_it_tests() -> None:
    """DESIGN 3: tests/spec, each test cites a section."""
    paths = [path.relative_to(ROOT) for path in (ROOT / "tests/spec").rglob("test_*.py")]
    assert [str(path) for path in paths if not CITED.search(docstrings(path))] == []


def test_no_file_names_a_place_of_this_machine_or_an_index() -> None:
    places = {ROOT, ROOT.parent, Path.home(), Path(sys.base_prefix), Path(sys.prefix)} - NOBODYS
    pattern = re.compile(r"(?<![\w.~-])(?:" + "|".join(re.escape(str(place)) for place in places) + r")/\w")
    found = [str(path) for path, text in texts() if pattern.search(text) or INDEX_HOST.search(text)]
    assert found == []


def test_nothing_is_claimed_that_only_an_auditor_could_say() -> None:
    """Software supports; it is organisations that are audited."""
    assert [str(path) for path, text in texts() if path.suffix == ".md" and CLAIMS.search(text)] == []


def test_commands_and_targets_in_the_readme_exist() -> None:
    """DESIGN 4: operators and examples rely on these names."""
    readme = (ROOT / "README.md").read_text() + (ROOT / "CONTRIBUTING.md").read_text()
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)\b(?= |`|\n)", readme)) <= targets
    commands = get_command(app)
    for line in re.findall(r"\.venv/bin/hub ([a-z -]+?) (?=--)", readme):
        found = commands
        for word in line.split():
            found = found.get_command(None, word)  # type: ignore[attr-defined]
            assert found is not None, line


def test_the_cluster_page_prepares_the_log_as_the_hub_would() -> None:
    """docs/adr/0008: the hub's user may not make these, so the page must name all of them rightly."""
    page = (ROOT / "docs/cluster.md").read_text()
    made = dict(re.findall(r'createIndex\(\{(.+?)\}, \{name: "(\S+?)"', page))
    wanted = {", ".join(f"{field}: {way}" for field, way in index.keys): index.name for index in INDEXES if index.collection == "records"}
    assert made == wanted
    assert page.count("unique: true") == sum(index.unique for index in INDEXES if index.collection == "records")
    (privilege,) = HUB_ROLE_PRIVILEGES
    assert "actions: [" + ", ".join(f'"{action}"' for action in privilege["actions"]) + "]" in page
    assert all(f'{{role: "{one["role"]}", db: "{one["db"]}"}}' in page for one in HUB_ROLE_ROLES)
