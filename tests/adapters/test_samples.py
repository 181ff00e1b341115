"""Every public sample is decoded to what a second reader of the vendor's documents finds in it, whole and by no special case."""

import ast
import inspect
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.contract import Unreadable
from adapters.discovery import adapters
from adapters.reading import Reading
from tests.architecture.tree import ROOT
from tests.support.independent.said import Said
from tests.support.known import FIXTURES
from tests.support.payloads import SAMPLES, needs_samples
from tests.support.samples import FIXTURES_TABLE, HELD_OTHERWISE, SAMPLES_TABLE, Sample
from tests.support.samples_page import page
from tests.support.stored import stored, waits_for

HERE = Path(__file__).parent
READ = [one for one in SAMPLES_TABLE if one.reader]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What an adapter and the hub make of a payload, and the codes of what they leave."""

    said: Counter[Said]
    answers: Counter[str]
    timeless: bool


NUMBERS = {
    ".json": rb'"(?:value|sgv|fpVal|HP|LP|HR|ValueInMgPerDl|volume|\w*duration\w*|wakeupcount|steps|[Ss]ystolic|[Dd]iastolic'
    rb'|HeartRate|RespiratoryRate|BodyTemperature)": "?-?[0-9.]*([0-9])',
    ".csv": rb",[0-9]+([0-9]),",
    ".hl7": rb"\|[0-9]*([0-9])\|264864",
    ".xml": rb'<(?:Record|data)[^>]* value="[0-9. ]*([0-9])"|<digits>[-0-9 ]*([0-9]) *<',
}
"""Where measured numbers stand in files of text, by their ends; the group is a number's last digit."""
NUMBERLESS = "fhir-phd/numeric-observation-not-a-number.json"
NUMBERED = [
    one for one in READ if not one.why and one.payload is Path.read_bytes and Path(one.path).suffix in NUMBERS and one.path != NUMBERLESS
]


def outcome(sample: Sample, payload: bytes) -> Outcome:
    assert sample.reader
    expected = list(sample.reader(payload))
    spoken = {code for one in expected for code in (one.code, one.site, *(code for code, _ in one.parts))}
    which = any(one.which for one in expected)
    items = list(sample.decoder.decode(payload))
    readings = [item for item in items if isinstance(item, Reading)]
    made = [stored(reading, spoken, which=which) for reading in readings]
    return Outcome(
        said=Counter(one for one in made if isinstance(one, Said)),
        answers=Counter([*(item.code for item in items if not isinstance(item, Reading)), *(one for one in made if isinstance(one, str))]),
        timeless=any(waits_for(reading) == "no-time" for reading in readings),
    )


def expected(sample: Sample, payload: bytes) -> tuple[Counter[Said], Counter[str]]:
    """What the second reader finds, without what is left with a reason; and the answers that are due for the rest."""
    assert sample.reader
    kept: Counter[Said] = Counter()
    answers: Counter[str] = Counter(sample.also)
    for said in sample.reader(payload):
        left = next((one for one in sample.left if one.is_of(said)), None)
        if left is None:
            kept[said] += 1
        elif left.answer:
            answers[left.answer] += 1
    return kept, answers


def assert_agreed(sample: Sample, payload: bytes) -> None:
    found, (said, answers) = outcome(sample, payload), expected(sample, payload)
    assert found.said - said == Counter(), "the adapter reads what the second reader does not find"
    assert said - found.said == Counter(), "the second reader finds what the adapter does not read"
    assert found.answers == answers


@needs_samples
def test_no_file_is_forgotten() -> None:
    files = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*") if path.is_file()} - {"README.md"}
    assert [one.path for one in SAMPLES_TABLE] == sorted(files)


@needs_samples
@pytest.mark.parametrize("sample", READ, ids=lambda one: one.path)
def test_a_file_gives_what_a_second_reader_of_the_documents_finds_in_it(sample: Sample) -> None:
    """Code, digits, unit, start, end, components, device and place, as the hub would store them; the rest is answered with a reason."""
    assert_agreed(sample, sample.payload(SAMPLES / sample.path))


@pytest.mark.parametrize("sample", FIXTURES_TABLE, ids=lambda one: one.path)
def test_a_fixture_gives_what_a_second_reader_of_the_documents_finds_in_it(sample: Sample) -> None:
    """Of formats without a public sample, or with a poor one."""
    assert_agreed(sample, sample.payload(FIXTURES / sample.path))


@needs_samples
@pytest.mark.parametrize("sample", NUMBERED, ids=lambda one: one.path)
def test_a_file_with_other_numbers_gives_those_numbers(sample: Sample) -> None:
    """No file is known to the code: the same document with other digits is read as well."""
    payload = sample.payload(SAMPLES / sample.path)
    changed = re.sub(NUMBERS[Path(sample.path).suffix], _other, payload)
    assert expected(sample, changed)[0] != expected(sample, payload)[0]
    assert_agreed(sample, changed)


def _other(found: re.Match[bytes]) -> bytes:
    """With another digit in place of the last one, never a 0."""
    (digit,) = (group for group in found.groups() if group)
    return (
        found[0][: found.end(found.lastindex or 0) - 1 - found.start()]
        + b"%d" % (int(digit) % 9 + 1)
        + found[0][found.end(found.lastindex or 0) - found.start() :]
    )


@needs_samples
@pytest.mark.parametrize("sample", SAMPLES_TABLE, ids=lambda one: one.path)
def test_a_file_without_reading_says_why(sample: Sample) -> None:
    readings = outcome(sample, sample.payload(SAMPLES / sample.path)).said if sample.reader else Counter()
    assert bool(sample.why) == (not readings)


@needs_samples
@pytest.mark.parametrize("sample", READ, ids=lambda one: one.path)
def test_readings_that_wait_for_a_time_say_why(sample: Sample) -> None:
    assert bool(sample.timeless) == outcome(sample, sample.payload(SAMPLES / sample.path)).timeless


@needs_samples
@pytest.mark.parametrize("sample", [one for one in SAMPLES_TABLE if one.refused], ids=lambda one: one.path)
def test_a_file_that_is_refused_as_a_whole_gives_nothing(sample: Sample) -> None:
    with pytest.raises(Unreadable) as refusal:
        list(sample.decoder.decode(sample.payload(SAMPLES / sample.path)))
    assert refusal.value.code == sample.refused


@needs_samples
@pytest.mark.parametrize("sample", READ, ids=lambda one: one.path)
def test_what_is_left_is_in_the_file(sample: Sample) -> None:
    """A reason for what no file has any more would hide the next fault."""
    assert sample.reader
    said = list(sample.reader(sample.payload(SAMPLES / sample.path)))
    assert [left for left in sample.left if not any(left.is_of(one) for one in said)] == []


def test_every_adapter_has_a_second_reader_or_says_what_it_is_held_against() -> None:
    ours = {name for name, one in adapters().items() if type(one).__module__.startswith("adapters.")}
    assert ours - {one.adapter for one in (*SAMPLES_TABLE, *FIXTURES_TABLE) if one.reader} == HELD_OTHERWISE.keys()


def test_the_page_is_made_of_the_table() -> None:
    """Make it again with `python -m tests.support.samples_page > docs/samples.md`."""
    assert (ROOT / "docs/samples.md").read_text() == page()


@pytest.mark.parametrize("held_by", sorted({one.held_by for one in SAMPLES_TABLE}))
def test_the_test_that_holds_a_file_is_there(held_by: str) -> None:
    file, _, name = held_by.partition("::")
    tree = ast.parse((HERE / file).read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("reader", sorted({one.reader for one in (*READ, *FIXTURES_TABLE) if one.reader}, key=lambda one: one.__qualname__))
def test_a_second_reader_names_the_document_it_was_written_from(reader: object) -> None:
    words = inspect.getdoc(reader) or ""
    assert "https://" in words or "http://" in words or "README.md" in words


def test_second_readers_share_nothing_with_the_hub() -> None:
    """Otherwise two readers would agree because they are one."""
    for path in sorted((HERE.parent / "support" / "independent").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in ("adapters", "audit", "fhir_profiles", "hub", "security")]
            assert not [name for name in names if name.startswith("tests.") and not name.startswith("tests.support.independent")]
