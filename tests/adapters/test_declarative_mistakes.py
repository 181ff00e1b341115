"""What a stranger does wrong in a mapping, each told with file, line, place and what to do. DEVICES 6.3: "schema-validated"."""

from pathlib import Path
from shutil import copytree

import pytest

from adapters.declarative import MappingError, load
from tests.support.process import command, invoke

MAPPING = (Path(__file__).parents[1] / "e2e" / "stranger" / "tide" / "mapping.yaml").read_text("utf-8")
FIRST = '"--": not-performed}}\n      - measure: oxygen'
"""The end of the first reading's value: what stands before it is of that one."""
PRESSURES = MAPPING[MAPPING.index("        components:") :]

MISTAKES: dict[str, tuple[str, str, int, str, str]] = {
    "a tab": ("  device: $night", "\tdevice: $night", 14, "", "indent with blanks"),
    "a bracket not closed": ("zone: $night.fuseau}", "zone: $night.fuseau", 16, "", "a bracket is not closed"),
    "a percent sign without quotes": ('unit: {from: $.u, table: {"%": "%"}}', "unit: %", 26, "", "put the value in quotes"),
    "an alias": ("source_id: [$.n]", "source_id: *n", 16, "", "needs quotes"),
    "a key twice": ("  source_id", "  device: $.sn\n  source_id", 16, "defaults.device", "twice"),
    "a key in other letters": ("    foreach: [", "    forEach: [", 19, "rules[0].forEach", "perhaps foreach"),
    "a key misspelt": ("    readings:", "    readingz:", 20, "rules[0].readingz", "perhaps readings"),
    "a key missing": ("name: tide\n", "", 4, "name", "needed"),
    "a version of two numbers": ("version: 0.1.0", "version: 0.1", 6, "version", "three numbers"),
    "a name with a blank": ("name: tide\n", "name: Tide Patch\n", 5, "name", "lower case letters, digits and hyphens"),
    "an identifier that is no URI": ("https://tide.example/serial", "serial", 9, "identifier_system", "absolute URI"),
    "a way in that is none": ("transports: [push]", "transports: [http]", 10, "transports[0]", "'push'"),
    "evidence in other words": ("evidence: vendor-documentation", "evidence: doc", 11, "evidence", "'vendor-documentation'"),
    "a format that is none": ("input: {format: json}", "input: {format: yaml}", 12, "input", "json, ndjson, csv or xml"),
    "a measure of one's own": ("measure: heart-rate\n", "measure: heartrate\n", 21, "rules[0].readings[0].measure", "perhaps heart-rate"),
    "the vendor's unit": ("table: {bpm: /min}", "table: {bpm: bpm}", 23, "rules[0].readings[0].value.unit.table", "UCUM codes: /min"),
    "a unit that is not UCUM": ('{from: "$.v[0]", unit: "mm[Hg]"', '{from: "$.v[0]", unit: mmHg', 33, "systolic.unit", "kPa, mm[Hg]"),
    "a unit read as a list": ('"°F": "[degF]"', '"°F": [degF]', 29, "value.unit", "in quotes"),
    "a reason of one's own": (FIRST, FIRST.replace("not-performed", "missing", 1), 23, "value.absent.--", "'not-performed'"),
    "a scale in words": (
        f"decimal: comma, required: true, absent: {{{FIRST}",
        f"scale: ten, absent: {{{FIRST}",
        23,
        "value.scale",
        "a number",
    ),
    "a decimal sign itself": (f"comma, required: true, absent: {{{FIRST}", f"',', absent: {{{FIRST}", 23, "value.decimal", "'comma'"),
    "a kind of time that is none": ("kind: offset", "kind: zoned", 15, "defaults.time.kind", "'offset'"),
    "a zone beside an instant": ("kind: offset", "kind: utc", 15, "defaults.time.kind", "of the kind `offset`"),
    "a pattern of another language": ("DD/MM/YYYY HH:mm:ss", "dd/MM/yyyy HH:mm:ss", 15, "defaults.time.format", "YYYY MM M DD"),
    "a step that is not there": ("$night.capteur", "$nights.capteur", 14, "defaults.device", "$night, $row, $document"),
    "an expression that ends too soon": ('"$.v[0]"', '"$.v["', 33, "systolic.from", ""),
    "a component misspelt": ("          systolic:", "          sistolic:", 33, "components.sistolic", "diastolic, mean, systolic"),
    "one value of two pressures": (
        PRESSURES,
        '        value: {from: $.v, unit: "mm[Hg]"}\n',
        32,
        "readings[3].value",
        "takes `components`",
    ),
    "a number where a code is meant": ("measure: body-temperature", "measure: sleep-stage", 29, "readings[2].value", "takes `code`"),
    "conditions as a list": ("when: {$.k: FC}", "when: [$.k, FC]", 22, "readings[0].when", "keys with values"),
}


@pytest.mark.parametrize(("old", "new", "line", "place", "advice"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_line_and_what_to_do(old: str, new: str, line: int, place: str, advice: str) -> None:
    assert load(MAPPING)
    assert old in MAPPING
    with pytest.raises(MappingError) as error:
        load(MAPPING.replace(old, new, 1), "tide/mapping.yaml")
    said = [one for one in str(error.value).splitlines() if one.startswith(f"tide/mapping.yaml:{line}: ")]
    assert any(place in one and advice in one for one in said), str(error.value)


def test_an_unknown_measure_is_told_in_a_few_words_and_the_catalogue_can_be_asked() -> None:
    with pytest.raises(MappingError) as error:
        load(MAPPING.replace("measure: heart-rate\n", "measure: zzz\n"))
    assert len(str(error.value)) < 200
    rows = invoke("adapters", "measures", "heart-rate", "--json").json()
    assert {"heart-rate", "heart-rate-ecg"} <= {row["measure"] for row in rows}
    assert all("heart-rate" in row["measure"] for row in rows)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One that `hub adapters new` made, as yet unbroken."""
    into = tmp_path_factory.mktemp("package")
    flags = ("--product", "Tide", "--manufacturer", "Tide", "--transport", "push", "--measure", "heart-rate", "--time-kind", "offset")
    assert command("adapters", "new", "tide", *flags, "--format", "json", "--declarative", "--into", str(into)).code == 0
    return into / "tide"


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("src/tide_adapter/mapping.yaml", MAPPING.replace("measure: heart-rate\n", "measure: heartrate\n"), "mapping.yaml:21: rules[0]"),
        ("src/tide_adapter/simulate.py", "x = (\n", "simulate.py, line 1"),
        ("tests/fixtures/exemptions.json", '{"no-such-rule": "It is not there."}', "there is no rule no-such-rule"),
        ("tests/fixtures/first.json.expected.json", "[{]", "is not JSON"),
    ],
)
def test_a_broken_package_is_said_to_be_broken_where(tmp_path: Path, package: Path, file: str, text: str, said: str) -> None:
    """A line on stderr and exit code 1, as DESIGN 4 asks; never a traceback."""
    copytree(package, tmp_path / "tide")
    (tmp_path / "tide" / file).write_text(text)
    done = command("adapters", "test", str(tmp_path / "tide"))
    assert done.code == 1
    assert said in done.err.replace("\n", "")
    assert "Traceback" not in done.err
