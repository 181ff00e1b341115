"""Every public sample and some fixtures of ours: which adapter reads it, and the second reader that its readings are held against.

A row for each file; docs/samples.md is made of the table.
"""

import io
import json
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adapters.contract import Adapter
from adapters.declarative.iomt import load
from adapters.discovery import adapters
from tests.support.independent import clouds, dexcom, fhir, fit, gatt, hl7v2, phones, signals, tables, tidepool, withings
from tests.support.independent.said import MDC, Said

Reader = Callable[[bytes], Iterable[Said]]


@dataclass(frozen=True, kw_only=True)
class Left:
    """What the second reader finds and the hub does not store as it comes.

    code, value  of what it says; an empty value stands for any
    answer       code of the answer: why the item was not read, or why it waits; empty where it is none
    why          for people
    """

    code: str
    answer: str
    why: str
    value: str = ""

    def is_of(self, said: Said) -> bool:
        return said.code == self.code and self.value in ("", said.value)


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One file.

    path      below the folder of samples, or of fixtures
    adapter   its name; iomt is made of templates
    reader    gives what the file says of measurements; None where the file is nothing that readings come of
    left      what it says beyond what the hub stores
    also      codes of answers for what is no measurement at all, each time that it is given
    timeless  why readings have no time, so that they wait until the sender says it
    refused   code with which the file as a whole is refused
    why       why no reading comes of it
    held_by   the test that holds what comes of it
    payload   the bytes that are sent
    made      another adapter than the registered one
    """

    path: str
    adapter: str
    reader: Reader | None = None
    left: tuple[Left, ...] = ()
    also: Mapping[str, int] = field(default_factory=dict)
    timeless: str = ""
    refused: str = ""
    why: str = ""
    held_by: str = "test_samples.py::test_a_file_gives_what_a_second_reader_of_the_documents_finds_in_it"
    payload: Callable[[Path], bytes] = Path.read_bytes
    made: Callable[[], Adapter] | None = None

    @property
    def is_sent_as_it_is(self) -> bool:
        """To a registered adapter, which gives items of it."""
        return self.reader is not None and self.made is None and self.payload is Path.read_bytes

    @property
    def decoder(self) -> Adapter:
        return self.made() if self.made else adapters()[self.adapter]


RECEIVED: Final = "2024-05-06T07:08:09+02:00"
LOINC: Final = "http://loinc.org"
ASN1: Final = "http://terminology.hl7.org/CodeSystem/ASN1ToHL7"


def frames(path: Path) -> bytes:
    """The vectors as a gateway relays them; what is expected of them stays behind."""
    told = [{"characteristic": one["characteristic"], "hex": one["hex"]} for one in json.loads(path.read_bytes())]
    return json.dumps([{**one, "receivedAt": RECEIVED, "deviceInfo": {"serialNumber": "A1"}} for one in told]).encode()


def archive(path: Path) -> bytes:
    """A record's header and its signals in one file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as packed:
        for one in sorted(path.parent.glob(f"{path.stem}.*")):
            packed.writestr(one.name, one.read_bytes())
    return made.getvalue()


def _templates(kind: str, *measured: tuple[str, str, str, dict[str, tuple[str, str]]]) -> Adapter:
    """Templates of iomt-fhir. Of each measurement: code, display, a match, and of each value its path with unit and LOINC code."""
    content, entries = [], []
    for number, (code, display, match, values) in enumerate(measured):
        name = f"m{number}"
        paths = [{"required": True, "valueName": path, "valueExpression": path} for path in values]
        content.append({"templateType": kind, "template": {"typeName": name, "typeMatchExpression": match, "values": paths}})
        written = {path: {"valueName": path, "unit": unit, "valueType": "Quantity"} for path, (unit, _) in values.items()}
        entry = {"typeName": name, "codes": [{"system": LOINC, "code": code, "display": display}]}
        parts = [{"codes": [{"system": LOINC, "code": one}], "value": written[path]} for path, (_, one) in values.items() if one]
        entries.append(
            {
                "templateType": "CodeValueFhir",
                "template": entry | ({"components": parts} if parts else {"value": next(iter(written.values()))}),
            }
        )
    head = {"version": "1.0.0", "product": "Templates", "manufacturer": "Nobody", "identifier_system": "urn:example:device"}
    return load(
        json.dumps({"templateType": "CollectionContent", "template": content}),
        json.dumps({"templateType": "CollectionFhir", "template": entries}),
        name="iomt",
        **head,
    )


def _central() -> Adapter:
    sent = "$.telemetry"
    return _templates(
        "IotCentralJsonPathContent",
        ("8867-4", "Heart rate", "$..[?(@telemetry.HeartRate)]", {f"{sent}.HeartRate": ("bpm", "")}),
        ("9279-1", "Respiratory rate", "$..[?(@telemetry.RespiratoryRate)]", {f"{sent}.RespiratoryRate": ("/min", "")}),
        ("8310-5", "Body temperature", "$..[?(@telemetry.BodyTemperature)]", {f"{sent}.BodyTemperature": ("degF", "")}),
        (
            "85354-9",
            "Blood pressure panel",
            "$..[?(@telemetry.BloodPressure)]",
            {f"{sent}.BloodPressure.Systolic": ("mmHg", "8480-6"), f"{sent}.BloodPressure.Diastolic": ("mmHg", "8462-4")},
        ),
    )


def _hub() -> Adapter:
    return _templates(
        "IotJsonPathContent",
        (
            "85354-9",
            "Blood pressure panel",
            "$..[?(@Body.systolic && @Body.diastolic)]",
            {"$.Body.systolic": ("mmHg", "8480-6"), "$.Body.diastolic": ("mmHg", "8462-4")},
        ),
        ("55423-8", "Number of steps", "$..[?(@Body.steps)]", {"$.Body.steps": ("count", "")}),
    )


NOT_IN_NOMENCLATURE: Final = "no source gives the reference identifier of this term, so the catalogue has no row for it; kept in quarantine"
SETTINGS: Final = "the example has no effective time, and settings of a zone have none of their own"


def _no_measure(code: str, why: str) -> Left:
    return Left(code=f"{MDC}|{code}", answer="unknown-measure", why=why)


SAMPLES_TABLE: Final = (
    Sample(path="aecg/minimum_aecg.xml", adapter="aecg", reader=signals.aecg),
    Sample(path="apple-health/export.xml", adapter="apple-health", reader=phones.apple_health),
    Sample(
        path="ble-gatt/gatt-vectors.json",
        adapter="gatt",
        reader=gatt.gatt,
        payload=frames,
        left=(
            Left(code="gatt|2A35", answer="frame-too-short", why="a frame that is cut off"),
            Left(
                code=f"{MDC}|147240", value="0.9765625 ms", answer="implausible-value", why="a tick of 1/1024 s is the interval of no heart"
            ),
            Left(code=f"{MDC}|147240", value="63999.0234375 ms", answer="implausible-value", why="a minute is the interval of no heart"),
        ),
    ),
    Sample(path="dexcom-clarity-csv/clarity-synthetic-head.csv", adapter="dexcom-clarity", reader=tables.clarity),
    Sample(path="edf/SC4001EC-Hypnogram.edf", adapter="edf", reader=signals.edf),
    Sample(path="edf/short_psg.edf", adapter="edf", reader=signals.edf),
    Sample(
        path="fhir-cied/Observation-IDCOExample2.json",
        adapter="cied",
        reader=fhir.cied,
        timeless=SETTINGS,
        left=(
            _no_measure("721600", "a text of the maker's, which is no measurement; kept in quarantine"),
            _no_measure("721603", "a date, which is no measurement; kept in quarantine"),
            _no_measure("731520", NOT_IN_NOMENCLATURE),
            _no_measure("731712", "a maker's own class of zone, whose meaning no source gives; kept in quarantine"),
        ),
    ),
    Sample(
        path="fhir-phd/coin-example-timefault.json",
        adapter="phd",
        reader=fhir.phd,
        left=(Left(code=f"{MDC}|67975", answer="device-clock", why="how a device's clock stood, which measures nobody"),),
        why="it says of a clock that it could not be read",
    ),
    Sample(path="fhir-phd/compound-numeric-blood-pressure.json", adapter="phd", reader=fhir.phd),
    Sample(path="fhir-phd/glucose-observation.json", adapter="phd", reader=fhir.phd),
    Sample(path="fhir-phd/numeric-observation-not-a-number.json", adapter="phd", reader=fhir.phd),
    Sample(
        path="fhir-phd/phd-74E8FFFEFF051C00.001C05FFE874.json",
        adapter="phd",
        why="a Device: facts about a unit and no reading",
        held_by="test_phd.py::test_the_guide_s_device_and_its_faulty_clock_are_facts_and_no_readings",
    ),
    Sample(path="fhir-phd/rtsa-example.json", adapter="phd", reader=fhir.phd),
    Sample(path="fhir-pocd/Observation-ECGSampleArrayObservation.xml", adapter="pocd", reader=fhir.pocd),
    Sample(path="fit/MonitoringFile.fit", adapter="fit", reader=fit.fit, also={"message-not-read": 1}),
    Sample(path="fit/WeightScaleSingleUser.fit", adapter="fit", reader=fit.fit, also={"message-not-read": 1}),
    Sample(
        path="fit/activity-unexpected-eof.fit",
        adapter="fit",
        refused="file-cut-off",
        held_by="test_samples.py::test_a_file_that_is_refused_as_a_whole_gives_nothing",
        why="cut off on purpose: of half a file nothing can be trusted",
    ),
    Sample(
        path="fitbit/fitbit-activities-heart-1d-1m-intraday.json",
        adapter="fitbit",
        reader=clouds.fitbit,
        left=(Left(code="fitbit|activities-heart", answer="statistic-not-a-reading", why="the mean of the day that its minutes give"),),
    ),
    Sample(path="google-fit/googlefit-merge-heart-rate.json", adapter="google-fit", reader=clouds.google_fit),
    Sample(
        path="hl7v2-oru/ORU-R01-01.hl7",
        adapter="oru",
        reader=hl7v2.oru,
        why="its two results of heart rate are a reference to a picture and two numbers without unit; the others are codes and documents",
        left=(
            Left(code=f"{LOINC}|8867-4", value="RP https://testurl.com^^SD^PICT ", answer="value-type", why="a reference to a picture"),
            Left(code=f"{LOINC}|8867-4", value="NM 27~25 ", answer="value-repeated", why="two values without unit under one code"),
            Left(code=f"{LOINC}|", answer="value-type", why="codes, documents and references without a LOINC code"),
        ),
    ),
    Sample(path="hl7v2-pcd01/monitor-ihe-pcd01.hl7", adapter="pcd01", reader=hl7v2.pcd01),
    Sample(path="ihealth/ihealth-bp.json", adapter="ihealth", reader=clouds.ihealth),
    *(
        Sample(
            path=f"iomt-fhir/{name}",
            adapter="iomt",
            why="templates that adapters are made of, and no payload",
            held_by="test_declarative_iomt.py::test_the_basic_sample_is_read_and_its_wrong_code_is_found",
        )
        for name in ("basic-devicecontent.json", "basic-fhirmapping.json")
    ),
    Sample(
        path="iomt-fhir/data_IotCentralPayloadExampleMultipleMessages.json",
        adapter="iomt",
        reader=clouds.iot_central,
        made=_central,
        left=(
            Left(
                code="iomt|HeartRateVariability", answer="", why="neither unit nor method is said, so that no template can name its measure"
            ),
        ),
    ),
    Sample(path="iomt-fhir/data_IotHubPayloadMultiValueExample.json", adapter="iomt", reader=clouds.iot_hub, made=_hub),
    Sample(path="librelinkup/graph.json", adapter="librelinkup", reader=clouds.librelinkup),
    Sample(path="libreview-csv/libre3-synthetic-head.csv", adapter="libreview", reader=tables.libreview),
    Sample(path="nightscout/entries-sgv.json", adapter="nightscout", reader=clouds.nightscout),
    Sample(
        path="open-mhealth/blood-pressure-4.0-descriptive-statistic.json",
        adapter="open-mhealth",
        reader=clouds.open_mhealth,
        left=(Left(code="open-mhealth|maximum", answer="statistic-not-a-reading", why="the highest of each over a week"),),
        why="a statistic of a week is no reading",
    ),
    Sample(path="open-mhealth/omh_blood-pressure_4-0.json", adapter="open-mhealth", reader=clouds.open_mhealth),
    Sample(path="tidepool/cbg-input.json", adapter="tidepool", reader=tidepool.tidepool),
    Sample(path="tidepool/cbg-output.json", adapter="tidepool", reader=tidepool.tidepool),
    Sample(path="tidepool/deviceEvent-input.json", adapter="tidepool", reader=tidepool.tidepool),
    Sample(
        path="wfdb/100_3chan.dat",
        adapter="wfdb",
        why="signals, which are read with the header beside them",
        held_by="test_samples.py::test_a_file_gives_what_a_second_reader_of_the_documents_finds_in_it",
    ),
    Sample(
        path="wfdb/100_3chan.hea", adapter="wfdb", reader=signals.wfdb, payload=archive, timeless="the header of this record has no time"
    ),
    Sample(path="withings/getmeas-positions.json", adapter="withings", reader=withings.withings),
    Sample(path="withings/getmeas.json", adapter="withings", reader=withings.withings),
    Sample(
        path="withings/user-getdevice.json",
        adapter="withings",
        why="a list of devices: facts about units and no reading",
        refused="not-getmeas",
        held_by="test_withings_devices.py::test_the_devices_of_the_sample",
    ),
    Sample(
        path="withings/withings-body-measures.json",
        adapter="withings",
        reader=withings.withings,
        left=(Left(code="withings|18", answer="unknown-measure", why="the vendor's page has no type 18"),),
    ),
    Sample(path="withings/withings-sleep-summary.json", adapter="withings-sleep", reader=withings.withings_sleep),
)
"""Every file of the folder of samples but its README."""

FIXTURES_TABLE: Final = (
    Sample(path="apple_ecg/english.csv", adapter="apple-ecg", reader=tables.apple_ecg),
    Sample(path="apple_ecg/french.csv", adapter="apple-ecg", reader=tables.apple_ecg),
    Sample(
        path="apple_health/export.xml",
        adapter="apple-health",
        reader=phones.apple_health,
        left=(Left(code="apple|DietaryEnergyConsumed", answer="unknown-measure", why="what was eaten"),),
        also={"element-not-read": 2},
    ),
    Sample(
        path="carelink/pump.csv",
        adapter="carelink",
        reader=tables.carelink,
        left=(Left(code="carelink|prime", answer="unknown-measure", why="priming, whose words differ from pump to pump"),),
    ),
    Sample(path="carelink/sensor.csv", adapter="carelink", reader=tables.carelink),
    Sample(
        path="dexcom_clarity/export.csv",
        adapter="dexcom-clarity",
        reader=tables.clarity,
        left=(Left(code="clarity|Exercise", answer="unknown-measure", why="an intensity in words without a scale"),),
    ),
    Sample(
        path="fitbit/day.json",
        adapter="fitbit",
        reader=clouds.fitbit,
        left=(
            Left(code="fitbit|weight", answer="unit-unknown", why="the answer does not say in which unit"),
            Left(code="fitbit|restless", answer="unknown-value-code", why="a level of the older kind of sleep log among stages"),
        ),
    ),
    Sample(
        path="google_fit/dataset.json",
        adapter="google-fit",
        reader=clouds.google_fit,
        left=(
            Left(code="google-fit|heart_rate.summary", answer="statistic-not-a-reading", why="mean, highest and lowest of an hour"),
            Left(code="google-fit|calories.expended", answer="unknown-measure", why="what is burnt at rest and by moving, in one figure"),
        ),
    ),
    Sample(path="health_connect/records.json", adapter="health-connect", reader=phones.health_connect),
    Sample(
        path="idco/session.hl7",
        adapter="idco",
        reader=hl7v2.idco,
        left=(
            Left(
                code="hl7v2|754946 MDC_IDC_ENUM_ZONE_TYPE_Zone_VF",
                answer="unknown-value-code",
                why="the code of one kind with the name of another",
            ),
            Left(
                code="hl7v2|721472 MDC_IDC_MSMT_BATTERY_VOLTAGE",
                answer="code-name-mismatch",
                why="the code of a life with the name of a voltage",
            ),
            _no_measure("721216", "the date of a battery, which is the time of its figures"),
            Left(code="other|18750-0", answer="document-not-read", why="a report that lies elsewhere"),
        ),
    ),
    Sample(path="ihealth/user.json", adapter="ihealth", reader=clouds.ihealth),
    Sample(
        path="librelinkup/graph.json",
        adapter="librelinkup",
        reader=clouds.librelinkup,
        left=(Left(code="librelinkup|9", answer="unknown-type", why="a kind of point that nobody knows"),),
    ),
    Sample(
        path="libreview/english.csv",
        adapter="libreview",
        reader=tables.libreview,
        left=(Left(code="libreview|4", answer="value-missing", why="a note in place of an amount of insulin"),),
    ),
    Sample(path="libreview/french-cp1252.csv", adapter="libreview", reader=tables.libreview),
    Sample(
        path="libreview/insulin.csv",
        adapter="libreview",
        reader=tables.libreview,
        left=(Left(code="libreview|4", answer="value-missing", why="insulin of an amount that is not said"),),
    ),
    Sample(
        path="open_mhealth/datapoints.json",
        adapter="open-mhealth",
        reader=clouds.open_mhealth,
        left=(
            Left(code="open-mhealth|average", answer="statistic-not-a-reading", why="the mean of a day"),
            Left(code="open-mhealth|latency_to_sleep_onset", answer="unknown-measure", why="a schema that is not read"),
        ),
    ),
    Sample(
        path="oura/heartrate.json",
        adapter="oura",
        reader=clouds.oura,
        left=(Left(code="oura|no offset", answer="time-not-readable", why="a time without offset, which the interface never has"),),
    ),
    Sample(
        path="ans/mesures.json",
        adapter="ans",
        reader=fhir.ans,
        left=(Left(code=f"{LOINC}|39156-5", answer="bmi-refused", why="the guide forbids it"),),
    ),
    Sample(
        path="cied/interrogation.json",
        adapter="cied",
        reader=fhir.cied,
        left=(_no_measure("721600", "a text, which is no measurement"),),
        also={"resource-not-supported": 1},
    ),
    Sample(
        path="connected_bed/ward.json",
        adapter="connected-bed",
        reader=clouds.connected_bed,
        left=(
            Left(code="bed|moisture", answer="unknown-measure", why="the mapping has no row for it"),
            Left(code="bed|nurse_call", answer="unknown-measure", why="a call is no event of the patient's"),
        ),
    ),
    Sample(path="dexcom/calibrations.json", adapter="dexcom", reader=dexcom.dexcom),
    Sample(
        path="dexcom/egvs.json",
        adapter="dexcom",
        reader=dexcom.dexcom,
        left=(Left(code="dexcom|no value", answer="value-missing", why="a record without a value"),),
    ),
    Sample(
        path="dexcom/events.json",
        adapter="dexcom",
        reader=dexcom.dexcom,
        left=(
            Left(code="dexcom|deleted", answer="deleted-at-source", why="the user took it back"),
            Left(code="dexcom|notes", answer="unknown-measure", why="words"),
        ),
    ),
    Sample(
        path="gatt/cuff.ndjson",
        adapter="gatt",
        reader=gatt.gatt,
        left=(Left(code="gatt|2A53", answer="unknown-measure", why="how a runner steps"),),
    ),
    Sample(
        path="gatt/everything.json",
        adapter="gatt",
        reader=gatt.gatt,
        left=(Left(code="gatt|medication", answer="dose-not-sure", why="an amount in litres is no number of units of insulin"),),
    ),
    Sample(
        path="gatt/meter.json",
        adapter="gatt",
        reader=gatt.gatt,
        left=(
            Left(code="gatt|2A34", value="cannot be read", answer="not-hex", why="half an octet too much"),
            Left(code="gatt|2A34", value="of no glucose", answer="glucose-missing", why="a context of a glucose that is not there"),
        ),
        also={"device-information": 1, "session-start": 1},
    ),
    Sample(
        path="oru/ward.hl7",
        adapter="oru",
        reader=hl7v2.oru,
        left=(
            Left(code=f"{LOINC}|29463-7", answer="unit-unknown", why="a number without a unit"),
            Left(code=f"{LOINC}|2823-3", answer="unknown-measure", why="a result of the laboratory"),
            Left(code=f"{LOINC}|11506-3", answer="value-type", why="a text"),
        ),
    ),
    Sample(
        path="pcd01/bed.hl7",
        adapter="pcd01",
        reader=hl7v2.pcd01,
        left=(_no_measure("BEDEXIT", "the bed's own event"),),
    ),
    Sample(
        path="pcd01/monitor.hl7",
        adapter="pcd01",
        reader=hl7v2.pcd01,
        left=(
            Left(
                code="hl7v2|150456 MDC_CO2_ET", answer="code-name-mismatch", why="the code of a saturation with the name of carbon dioxide"
            ),
            _no_measure("199999", "a term that no nomenclature has"),
            _no_measure("0", "a note"),
        ),
    ),
    Sample(
        path="pcd01/pump.hl7",
        adapter="pcd01",
        reader=hl7v2.pcd01,
        left=(
            Left(code="hl7v2|265266 MDC_DIM_MILLI_L", answer="unit-mismatch", why="the code of a rate with the name of a volume"),
            _no_measure("184330", "the name of a drug, which is no measurement"),
        ),
    ),
    Sample(
        path="pcd01/ventilator.hl7",
        adapter="pcd01",
        reader=hl7v2.pcd01,
        left=(Left(code="hl7v2|withdrawn", answer="result-withdrawn", why="the sender says that it was wrong"),),
    ),
    Sample(
        path="phd/upload.json",
        adapter="phd",
        reader=fhir.phd,
        left=(
            Left(code=f"{MDC}|67975", answer="device-clock", why="how a device's clock stood, which measures nobody"),
            Left(code=f"{MDC}|68193", answer="", why="says how the saturation beside it was taken; it stays in the bytes that are kept"),
            _no_measure("8417846", "a text, which is no measurement"),
            Left(code=f"{ASN1}|150604.2", answer="unknown-measure", why="a bit of a device's state"),
        ),
    ),
    Sample(path="pocd/monitor.json", adapter="pocd", reader=fhir.pocd),
    Sample(path="pocd/monitor.xml", adapter="pocd", reader=fhir.pocd),
    Sample(
        path="tidepool/loop.json",
        adapter="tidepool",
        reader=tidepool.tidepool,
        left=(
            Left(code="tidepool|confidential", answer="unknown-measure", why="a wish for privacy, which measures nothing"),
            Left(code="tidepool|physicalActivity", answer="unknown-measure", why="an intensity in words without a scale"),
        ),
        also={"not-a-measurement": 1},
    ),
    Sample(
        path="withings/evening.json",
        adapter="withings",
        reader=withings.withings,
        left=(
            Left(code="withings|999", answer="unknown-measure", why="the vendor's page has no type 999"),
            Left(code="withings|goal", answer="user-goal", why="what the user aims at, which nobody measured"),
        ),
    ),
    Sample(path="withings/every-type.json", adapter="withings", reader=withings.withings),
    Sample(
        path="withings_heart/ecg.json",
        adapter="withings-heart",
        reader=withings.withings_heart,
        left=(Left(code="withings|heart_rate", answer="no-time", why="a record without a time stamp"),),
    ),
    Sample(path="withings_sleep/every-field.json", adapter="withings-sleep", reader=withings.withings_sleep),
    Sample(
        path="withings_sleep/night.json",
        adapter="withings-sleep",
        reader=withings.withings_sleep,
        left=(
            Left(code="withings|wakeupcount", answer="no-value", why="null"),
            Left(code="withings|mvt_score_avg", answer="unknown-measure", why="a score of movement, whose scale the page does not give"),
        ),
    ),
)
"""Fixtures of formats of which no sample is public, or whose sample shows little of them."""

INVENTED: Final = "makers publish no format: fields are ours, values stand in `test_worked_mappings.py`"
HELD_OTHERWISE: Final[Mapping[str, str]] = {
    "chronolife": INVENTED,
    "circular": INVENTED,
    "multisense": INVENTED,
    "neurostimulator": INVENTED,
    "scp-ecg": "an encoder of its own, `tests/support/scp.py`, writes what is read back",
    "textile": INVENTED,
}
"""Adapters without a second reader, and what their values are held against instead."""
