"""`hub adapters new` makes a package whose own tests are green before anything is edited. DEVICES 6.2, step 2."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from adapters.discovery import adapters
from adapters.kit.examine import examine, level
from adapters.kit.rulebook import RULES
from adapters.kit.simulation import FAULTS, Plan, batches, end_of_summer_time, payloads
from hub.cli.kit.scaffold import KINDS, MEDIA_TYPES, Answers, BadAnswer, make, usable
from hub.cli.kit.subject import find
from tests.support.process import invoke

FLAGS = ("--product", 'Acme "Scale" 3', "--manufacturer", "Acme", "--transport", "push", "--time-kind", "offset", "--format", "json")


def answers(**changed: object) -> Answers:
    given = {
        "name": "acme",
        "product": 'Acme "Scale" 3',
        "manufacturer": "Acme",
        "transports": ("push",),
        "measures": ("body-weight", "blood-pressure", "glucose-interstitial"),
        "time_kind": "offset",
        "format": "json",
    }
    return Answers(**{**given, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize("declarative", [False, True], ids=["code", "mapping"])
@pytest.mark.parametrize("format", MEDIA_TYPES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_breaks_no_rule_whatever_was_answered(tmp_path: Path, format: str, kind: str, declarative: bool) -> None:
    """Silver from the first minute; for gold something from outside is asked."""
    name = f"acme-{format}-{kind}-{'mapping' if declarative else 'code'}"
    made = make(answers(name=name, format=format, time_kind=kind, declarative=declarative), tmp_path)
    found = find(str(made))
    results = list(examine(found.subject(), rules=[rule for rule in RULES if rule.id != "volume"]))
    assert [(one.rule.id, one.hints) for one in results if one.status in {"fail", "unproven"}] == [
        (one.rule.id, one.hints) for one in results if one.rule.id == "manifest-evidence"
    ]
    assert level(results) == "silver"


def test_its_own_tests_are_green(tmp_path: Path) -> None:
    done = invoke("adapters", "new", "fresh", *FLAGS, "--measure", "heart-rate", "--into", str(tmp_path))
    assert (done.code, done.out.strip()) == (0, str(tmp_path / "fresh")), done.err
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly"],
        cwd=tmp_path / "fresh",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ran.returncode == 0, ran.stdout
    assert f"{len(RULES)} passed" in ran.stdout


def test_it_is_formatted_and_linted_as_python_is(tmp_path: Path) -> None:
    made = make(answers(name="tidy"), tmp_path)
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E,F,W,B", "--line-length", "140", str(made)]
    ran = subprocess.run(ruff, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def test_the_worksheet_comes_first_and_names_codes_and_bounds(tmp_path: Path) -> None:
    made = make(answers(name="sheet"), tmp_path)
    sheet = (made / "WORKSHEET.md").read_text()
    assert "29463-7" in sheet
    assert "0.2 to 700" in sheet
    assert tomllib.loads((made / "pyproject.toml").read_text())["project"]["entry-points"]["hds_hub.adapters"] == {
        "sheet": "sheet_adapter:adapter"
    }


@pytest.mark.parametrize("key", sorted(usable()))
def test_every_measure_that_is_offered_can_be_made(tmp_path: Path, key: str) -> None:
    made = make(answers(name=f"m-{key}", measures=(key,)), tmp_path)
    outcome = find(str(made)).subject()
    assert [one.measure for _, one in outcome.readings()] == [key, key]


@pytest.mark.parametrize(
    "changed",
    [{"name": "Acme"}, {"name": "../acme"}, {"product": " "}, {"measures": ()}, {"measures": ("humours",)}, {"measures": ("ecg-lead-i",)}],
    ids=str,
)
def test_an_answer_of_which_nothing_can_be_made_is_refused_before_anything_is_written(tmp_path: Path, changed: dict[str, object]) -> None:
    with pytest.raises(BadAnswer):
        make(answers(**changed), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_is_missing_or_wrong_and_overwrites_nothing(tmp_path: Path) -> None:
    """DESIGN 4: wrong use is 2, errors are 1."""
    into = ("--into", str(tmp_path))
    assert invoke("adapters", "new", "acme", "--product", "x", *into).code == 2
    assert invoke("adapters", "new", "acme", *FLAGS, "--measure", "nonsense", *into).code == 2
    assert invoke("adapters", "new", "acme", *FLAGS, "--measure", "heart-rate", "--transport", "pigeon", *into).code == 2
    assert invoke("adapters", "new", "acme", *FLAGS, "--measure", "heart-rate", *into).code == 0
    again = invoke("adapters", "new", "acme", *FLAGS, "--measure", "heart-rate", *into)
    assert (again.code, again.out) == (1, "")


OURS = sorted(name for name, one in adapters().items() if type(one).__module__.startswith("adapters."))


@pytest.mark.parametrize("name", OURS)
def test_every_adapter_that_comes_with_the_hub_has_a_simulator(name: str) -> None:
    assert getattr(adapters()[name], "simulator", None) is not None


@pytest.mark.parametrize("name", OURS)
def test_a_simulation_follows_from_its_seed(name: str) -> None:
    from datetime import date

    adapter = find(name).adapter
    plan = Plan(adapter=adapter, patients=2, days=3, seed=5, until=date(2026, 6, 1), faults=frozenset(FAULTS))
    first, again = list(batches(plan)), list(batches(plan))
    assert first == again
    assert {one.what for one in first} == {"readings", "late", "duplicates", "corrected", "summer-time", "garbage"}
    other = Plan(adapter=adapter, patients=2, days=3, seed=6, until=date(2026, 6, 1), faults=frozenset(FAULTS))
    assert not {one.payload for one in first} & {one.payload for one in batches(other)}
    assert payloads(plan) == len(first)


@pytest.mark.parametrize(("until", "day"), [("2026-06-01", "2025-10-26"), ("2026-10-25", "2025-10-26"), ("2026-10-26", "2026-10-25")])
def test_summer_time_ended_on_the_last_sunday_of_october(until: str, day: str) -> None:
    """Directive 2000/84/EC, article 3."""
    from datetime import date

    assert end_of_summer_time(date.fromisoformat(until)) == date.fromisoformat(day)
