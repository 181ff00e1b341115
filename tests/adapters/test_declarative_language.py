"""What a mapping may say, and how it is told what is wrong: file, line, place, and what to do."""

import json
from importlib.resources import files
from typing import Any

import pytest
import yaml

from adapters.declarative import MappingError, load, packaged, schema
from tests.support.mappings import HEAD, PULSE, mapping
from tests.support.process import invoke

YAML = """
mapping: 1
name: demo
version: 1.0.0
product: Demo
manufacturer: Demo SA
identifier_system: https://demo.example/serial
evidence: synthetic
input: {format: json}
rules:
  - name: pulse
    foreach: $.items[*]
    device: $.sn
    time: {from: $.at, kind: offset}
    readings:
      - measure: heart-rate
        value:
          from: $.hr
          unit: /min
"""


def faults(text: str) -> str:
    with pytest.raises(MappingError) as error:
        load(text, "vendor/mapping.yaml")
    return str(error.value)


def changed(**change: Any) -> str:
    return json.dumps({**mapping(PULSE), **change})


def test_yaml_and_json_are_read_alike() -> None:
    assert load(YAML).manifest == load(json.dumps(yaml.safe_load(YAML))).manifest


def test_the_schema_for_editors_is_the_one_that_is_enforced() -> None:
    """`schema.json` is generated from the classes; run adapters.declarative.schema again after a change."""
    assert (files("adapters.declarative") / "schema.json").read_bytes() == schema()
    assert invoke("adapters", "schema").out.encode() == schema()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "unit: /min",
            "unit: bpm",
            "vendor/mapping.yaml:19: rules[0].readings[0].value.unit: heart-rate is not taken in 'bpm'; write one of",
        ),
        ("from: $.hr", "frm: $.hr", "vendor/mapping.yaml:18: rules[0].readings[0].value.frm: this key is not known here"),
        ("from: $.hr", "from: $.hr[", "vendor/mapping.yaml:18: rules[0].readings[0].value.from: This is no JSONPath"),
        ("from: $.hr", "from: 'hr['", "vendor/mapping.yaml:18: rules[0].readings[0].value.from: This is no JMESPath"),
        ("from: $.hr", "from: $unit.hr", "There is no step $unit in `foreach`"),
        (
            "measure: heart-rate",
            "measure: pulse",
            "vendor/mapping.yaml:16: rules[0].readings[0].measure: The catalogue has no measure 'pulse'",
        ),
        ("kind: offset", "kind: paris", "vendor/mapping.yaml:14: rules[0].time.kind: write 'utc', 'offset', 'local' or 'ticks'"),
        ("kind: offset", "kind: local, format: DD/MM/YYYY HH", "rules[0].time.format: A format needs year (YYYY"),
        ("kind: offset", "kind: local, format: YYYY-MM-DD HHxmm", "a format is `iso`, epoch-s"),
        ("    time: {from: $.at, kind: offset}\n", "", "Nothing says when"),
        ("name: demo", "name: Démo", "vendor/mapping.yaml:3: name: "),
        ("version: 1.0.0\n", "", "version: this key is needed"),
        ("mapping: 1", "mapping: 2", "vendor/mapping.yaml:2: mapping: write '1'"),
        ("input: {format: json}", "input: {format: pdf}", "vendor/mapping.yaml:9: input: `format` is json, ndjson, csv or xml"),
        ("name: demo", "name: demo\nname: other", "vendor/mapping.yaml:4: name: The key stands there twice"),
        ("input: {format: json}", "input: &a {format: json}\naccept: *a", "Anchors and aliases are not read"),
        ("input: {format: json}", "input: {format: json", "This is no YAML"),
        ("foreach: $.items[*]", "foreach: $.items[1]", "`foreach` takes names, [*] and [0]"),
        ("device: $.sn", "device: $document.items[0].sn", "leads through the array that `foreach` takes apart"),
    ],
)
def test_a_mistake_is_said_with_file_line_place_and_what_to_do(old: str, new: str, said: str) -> None:
    assert old in YAML
    assert said in faults(YAML.replace(old, new))


def test_every_mistake_of_form_is_said_at_once() -> None:
    said = faults(YAML.replace("from: $.hr", "frm: $.hr").replace("kind: offset", "kind: paris"))
    assert len(said.splitlines()) == 3


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        ({"measure": "blood-pressure", "value": {"from": "$.v", "unit": "mm[Hg]"}}, "blood-pressure takes `components`"),
        ({"measure": "blood-pressure", "components": {"pulse": {"from": "$.v", "unit": "/min"}}}, "has no component 'pulse'"),
        ({"measure": "ecg-lead-i", "value": {"from": "$.v", "unit": "uV"}}, "ecg-lead-i takes `strip`"),
        ({"measure": "ecg-lead-i", "strip": {"from": "$.v", "unit": "uV"}}, "Say either `period_ms` or `rate_hz`"),
        ({"measure": "ecg-classification", "code": {"from": "$.v", "table": {"AF": "fibrillation"}}}, "has no code 'fibrillation'"),
        ({**PULSE, "quality": [{"flag": "wobbly", "when": {"$.q": 1}}]}, "no quality flag 'wobbly'"),
        (
            {**PULSE, "context": {"mood": {"from": "$.m", "table": {"1": {"system": "s", "code": "c", "display": "d"}}}}},
            "A circumstance is one of",
        ),
        ({**PULSE, "code": {"from": "$.v", "table": {"1": "a"}}}, "exactly one of value, code, strip and components"),
        ({"measure": "body-temperature", "value": {"from": "$.v", "unit": {"from": "$.u", "table": {"F": "degF"}}}}, "not taken in 'degF'"),
        ({**PULSE, "time": {"from": "$.at", "kind": "utc", "zone": "$.tz"}}, "is of the kind `offset`"),
        ({**PULSE, "time": {"from": "$.at", "kind": "offset", "format": "epoch-s"}}, "says no offset"),
        ({**PULSE, "correlate": {"require": ["systolic"]}}, "`correlate` puts components together"),
    ],
)
def test_what_contradicts_the_catalogue_or_itself_is_not_loaded(reading: Any, said: str) -> None:
    """DEVICES 0.6: a wrong pair of code and unit is refused before anything is stored with it."""
    assert said in faults(json.dumps(mapping(reading)))


@pytest.mark.parametrize("text", ["", "- 1", "3", "{", "{]", "\x00", "a: b: c", "? [a]\n: 1", "x" * 300_000, "[" * 400, "{" * 5000])
def test_what_is_no_mapping_is_said_to_be_none(text: str) -> None:
    assert faults(text)


def test_words_of_yaml_that_look_like_something_else_stay_words() -> None:
    """YAML 1.1 reads no as false, 12:30 as 750 and 1_0 as 10."""
    made = load(YAML.replace("    readings:", "    match: {$.a: no, $.b: 12:30, $.c: 1_0, $.d: 0.10}\n    readings:"))
    record = {"sn": "S", "at": "2026-01-05T10:00:00Z", "hr": 60, "a": "no", "b": "12:30", "c": "1_0", "d": "0.10"}
    (item,) = made.decode(json.dumps({"items": [record]}).encode())
    assert item.device == "S"
    assert not hasattr(item, "code")


def test_a_mapping_in_a_package_is_loaded_by_its_name() -> None:
    with pytest.raises(FileNotFoundError):
        packaged("adapters.declarative")


def test_a_head_needs_what_the_hub_must_know() -> None:
    for name in HEAD:
        document = mapping(PULSE)
        del document[name]
        assert f"{name}: this key is needed" in faults(json.dumps(document))


def test_a_table_takes_no_foreach() -> None:
    assert "Each row of a table is a record already" in faults(
        json.dumps(mapping(PULSE, input={"format": "csv", "header": ["t"]}, foreach="$.x"))
    )


def test_a_name_of_a_step_is_its_own() -> None:
    assert "need names of their own" in faults(json.dumps(mapping(PULSE, foreach=[{"a": "$.x[*]"}, {"a": "$.y[*]"}])))
    assert changed()
