"""https://github.com/microsoft/iomt-fhir: its templates and payloads, read as they are. DEVICES 1.1, 0.6."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from adapters.contract import Unreadable
from adapters.declarative import MappingError
from adapters.declarative.iomt import IomtAdapter, load
from adapters.kit.rules import faults, parses_alone
from adapters.reading import Quantity, Reading, Rejected
from tests.support.payloads import SAMPLES, needs_samples

HEAD = {
    "name": "iomt",
    "version": "1.0.0",
    "product": "Templates",
    "manufacturer": "Microsoft",
    "identifier_system": "urn:example:device",
}
LOINC = "http://loinc.org"


def content(*templates: tuple[str, dict[str, Any]]) -> str:
    return json.dumps(
        {"templateType": "CollectionContent", "template": [{"templateType": kind, "template": one} for kind, one in templates]}
    )


def entry(type_name: str, code: str, display: str, value: dict[str, Any] | None, *components: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "typeName": type_name,
        "codes": [{"system": LOINC, "code": code, "display": display}],
        "components": list(components),
    }
    return made if value is None else {**made, "value": value}


def fhir(*entries: dict[str, Any]) -> str:
    return json.dumps(
        {"templateType": "CollectionFhir", "template": [{"templateType": "CodeValueFhir", "template": one} for one in entries]}
    )


def value(name: str, unit: str, kind: str = "Quantity") -> dict[str, Any]:
    return {"valueName": name, "unit": unit, "valueType": kind}


def template(type_name: str, match: str, **values: str) -> dict[str, Any]:
    return {
        "typeName": type_name,
        "typeMatchExpression": match,
        "deviceIdExpression": "$.deviceid",
        "patientIdExpression": "$.patientid",
        "timestampExpression": "$.measurementdatetime",
        "values": [{"required": True, "valueName": name, "valueExpression": path} for name, path in values.items()],
    }


def component(code: str, display: str, name: str, unit: str = "mmHg") -> dict[str, Any]:
    return {"codes": [{"system": LOINC, "code": code, "display": display}], "value": value(name, unit)}


PRESSURE = entry(
    "bp",
    "85354-9",
    "Blood pressure panel",
    None,
    component("8480-6", "Systolic blood pressure", "systolic"),
    component("8462-4", "Diastolic blood pressure", "diastolic"),
)


def items(made: IomtAdapter, payload: bytes) -> list[Any]:
    found = list(made.decode(payload))
    for item in found:
        assert faults(item) == ()
        assert parses_alone(made.decode, item)
    return found


@needs_samples
def test_the_basic_sample_is_read_and_its_wrong_code_is_found() -> None:
    """Its diastolic pressure is coded 8867-4, heart rate; its variability has no unit; its device events are nobody's codes."""
    folder = SAMPLES / "iomt-fhir"
    made = load((folder / "basic-devicecontent.json").read_text(), (folder / "basic-fhirmapping.json").read_text(), **HEAD)
    assert [(one.type_name, one.code) for one in made.findings] == [
        ("bloodpressure", "code-mismatch"),
        ("hrv", "unit-missing"),
        ("deviceWorn", "code-mismatch"),
        ("deviceRemoved", "code-mismatch"),
    ]
    assert made.manifest.measures == ("heart-rate", "steps")
    at = {"deviceid": "D1", "patientid": "Ada Lovelace", "measurementdatetime": "2026-01-05T10:00:00Z"}
    found = items(made, json.dumps({"Body": {**at, "heartrate": 78, "systolic": 120, "diastolic": 80}}).encode())
    assert [item.measure if isinstance(item, Reading) else item.code for item in found] == ["heart-rate", "terminology-mismatch"]
    assert found[0].value == Quantity(value="78", unit="/min")
    assert (found[0].device, found[0].time.instant, found[0].pointer) == ("D1", datetime(2026, 1, 5, 10, tzinfo=UTC), "/Body/heartrate")
    assert b"Ada" not in b"".join(item.raw for item in found)
    assert found[1].keep


@needs_samples
def test_the_hubs_sample_of_several_values_is_read_with_device_and_time_of_the_hub() -> None:
    """Device and time stand in SystemProperties and Properties; the numbers are sent as text."""
    bp = template("bp", "$..[?(@Body.systolic && @Body.diastolic)]", systolic="$.Body.systolic", diastolic="$.Body.diastolic")
    steps = template("steps", "$..[?(@Body.steps)]", steps="$.Body.steps")
    made = load(
        content(("IotJsonPathContent", bp), ("IotJsonPathContent", steps)),
        fhir(PRESSURE, entry("steps", "55423-8", "Number of steps", value("steps", "count", "SampledData"))),
        **HEAD,
    )
    assert made.findings == ()
    pressure, walked = items(made, (SAMPLES / "iomt-fhir/data_IotHubPayloadMultiValueExample.json").read_bytes())
    assert pressure.components == {"systolic": Quantity(value="111", unit="mm[Hg]"), "diastolic": Quantity(value="75", unit="mm[Hg]")}
    assert walked.value == Quantity(value="30", unit="{steps}")
    assert (pressure.device, pressure.time.text) == ("ev-d795-1d04-55ae", "2019-01-30T22:45:02.6073744Z")


@needs_samples
def test_the_centrals_sample_gives_each_message_its_own_device_and_time() -> None:
    """The temperatures are degrees Fahrenheit without saying so; the templates have to."""
    made = load(
        content(
            ("IotCentralJsonPathContent", template("hr", "$..[?(@telemetry.HeartRate)]", hr="$.telemetry.HeartRate")),
            ("IotCentralJsonPathContent", template("t", "$..[?(@telemetry.BodyTemperature)]", t="$.telemetry.BodyTemperature")),
        ),
        fhir(entry("hr", "8867-4", "Heart rate", value("hr", "bpm")), entry("t", "8310-5", "Body temperature", value("t", "degF"))),
        **HEAD,
    )
    found = items(made, (SAMPLES / "iomt-fhir/data_IotCentralPayloadExampleMultipleMessages.json").read_bytes())
    assert [(item.measure, item.value.value, item.value.unit, item.device, item.time.text) for item in found] == [
        ("heart-rate", "75", "/min", "1qsi9p8t5l2", "2021-06-08T19:45:20.2020000Z"),
        ("heart-rate", "69", "/min", "1qsi9p8t5l2", "2021-06-08T19:44:04.9410000Z"),
        ("body-temperature", "98.43639286275842", "[degF]", "1qsi9p8t5l2", "2021-06-08T19:45:20.2020000Z"),
        ("body-temperature", "98.3519900406635", "[degF]", "1qsi9p8t5l2", "2021-06-08T19:44:04.9410000Z"),
    ]


def test_calculated_templates_choose_the_language_of_each_expression_and_see_the_whole_message() -> None:
    one = {
        "typeName": "hr",
        "typeMatchExpression": "$.data[?(@.hr)]",
        "deviceIdExpression": "$.unit.id",
        "timestampExpression": {"value": "matchedToken.at || matchedToken.time", "language": "JmesPath"},
        "values": [{"required": True, "valueName": "hr", "valueExpression": "$.matchedToken.hr"}],
    }
    made = load(content(("CalculatedContent", one)), fhir(entry("hr", "8867-4", "Heart rate", value("hr", "bpm"))), **HEAD)
    payload = {"unit": {"id": "U1", "owner": "Ada"}, "data": [{"hr": 60, "time": "2026-01-05T10:00:00Z"}, {"x": 1}]}
    (item,) = items(made, json.dumps(payload).encode())
    assert (item.device, item.value.value, item.time.text) == ("U1", "60", "2026-01-05T10:00:00Z")
    assert json.loads(item.raw) == {"unit": {"id": "U1"}, "data": [{"hr": 60, "time": "2026-01-05T10:00:00Z"}]}


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (entry("x", "4548-4", "Glucose", value("v", "mg/dL")), "name-mismatch"),
        (entry("x", "8867-4", "Glucose", value("v", "bpm")), "name-mismatch"),
        (entry("x", "8867-4", "Heart rate", value("v", "mmHg")), "unit-mismatch"),
        (entry("x", "8867-4", "Heart rate", value("v", "")), "unit-missing"),
        (entry("x", "8867-4", "Heart rate", value("w", "bpm")), "value-without-source"),
        (entry("x", "8867-4", "Heart rate", value("v", "bpm", "String")), "value-type"),
        (entry("x", "85354-9", "Blood pressure", value("v", "mmHg")), "no-components"),
        (entry("y", "8867-4", "Heart rate", value("v", "bpm")), "type-without-entry"),
    ],
)
def test_code_name_and_unit_must_belong_together(one: dict[str, Any], code: str) -> None:
    """DEVICES 0.6: what contradicts itself is kept and said, and stored for nobody."""
    made = load(content(("JsonPathContent", template("x", "$..[?(@v)]", v="$.v"))), fhir(one), **HEAD)
    assert [finding.code for finding in made.findings] == [code]
    (item,) = items(made, b'{"v": 1, "deviceid": "D", "measurementdatetime": "2026-01-05T10:00:00Z"}')
    assert isinstance(item, Rejected)
    assert (item.code, item.keep) == ("terminology-mismatch", True)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"templateType": "CollectionContent", "template": [1]}'])
def test_what_is_no_template_is_said_with_its_file(text: str) -> None:
    with pytest.raises(MappingError, match=r"devicecontent\.json"):
        load(text, fhir(PRESSURE), **HEAD)


def test_a_message_that_no_template_takes_is_refused() -> None:
    made = load(content(("JsonPathContent", template("x", "$..[?(@v)]", v="$.v"))), fhir(PRESSURE), **HEAD)
    with pytest.raises(Unreadable):
        list(made.decode(b'{"w": 1}'))
