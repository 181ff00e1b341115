"""Answers and exports of makers' clouds and of phones, as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.support.independent.said import Said, at, digits, epoch, loinc, ours, quantity

Json = dict[str, Any]


def open_mhealth(payload: bytes) -> Iterator[Said]:
    """https://www.openmhealth.org/documentation/#/schema-docs/schema-library/schemas/omh_blood-pressure: a body with both pressures.

    What has a descriptive_statistic describes many measurements and is none.
    """
    read = digits(payload)
    body = read.get("body", read)
    parts = [(loinc(code), body[f"{name}_blood_pressure"]) for name, code in (("systolic", "8480-6"), ("diastolic", "8462-4"))]
    frame = body["effective_time_frame"]
    interval = frame.get("time_interval", {"start_date_time": frame.get("date_time")})
    statistic = body.get("descriptive_statistic")
    yield Said(
        code=f"open-mhealth|{statistic}" if statistic else loinc("85354-9"),
        parts=tuple(sorted((code, quantity(one["value"], {"mmHg": "mm[Hg]"}[one["unit"]])) for code, one in parts)),
        start=at(interval["start_date_time"]),
        end=at(interval.get("end_date_time")),
    )


def google_fit(payload: bytes) -> Iterator[Said]:
    """https://developers.google.com/fit/rest/v1/reference/users/dataSources/datasets: nanoseconds since 1970; bpm in fpVal."""
    for point in digits(payload)["point"]:
        assert point["dataTypeName"] == "com.google.heart_rate.bpm"
        start, end = (_nanoseconds(point[f"{name}TimeNanos"]) for name in ("start", "end"))
        yield Said(code=loinc("8867-4"), value=quantity(point["value"][0]["fpVal"], "/min"), start=start, end=end if end != start else "")


def fitbit(payload: bytes) -> Iterator[Said]:
    """https://dev.fitbit.com/build/reference/web-api/intraday/get-heartrate-intraday-by-date/: times of the day on the user's clock."""
    read = digits(payload)
    (day,) = read["activities-heart"]
    yield Said(code="fitbit|activities-heart", value=quantity(day["value"], "/min"), start=at(day["dateTime"]))
    for minute in read["activities-heart-intraday"]["dataset"]:
        yield Said(code=loinc("8867-4"), value=quantity(minute["value"], "/min"), start=at(f"{day['dateTime']}T{minute['time']}"))


def ihealth(payload: bytes) -> Iterator[Said]:
    """http://developer.ihealthlabs.com/dev_documentation_RequestfordataofBP.htm: HP and LP in BPUnit (0 mmHg), HR per minute.

    MDate is the clock of the wall as if it were UTC, TimeZone how far that is from UTC.
    """
    read = digits(payload)
    assert read["BPUnit"] == "0"
    for one in read["BPDataList"]:
        wall = datetime.fromtimestamp(int(one["MDate"]), UTC).replace(tzinfo=None)
        place = {"start": at(f"{wall.isoformat()}{one['TimeZone']}"), "manual": one["DataSource"] == "Manual"}
        parts = ((loinc("8462-4"), quantity(one["LP"], "mm[Hg]")), (loinc("8480-6"), quantity(one["HP"], "mm[Hg]")))
        yield Said(code=loinc("85354-9"), parts=parts, **place)
        yield Said(code=loinc("8867-4"), value=quantity(one["HR"], "/min"), **place)


def nightscout(payload: bytes) -> Iterator[Said]:
    """https://nightscout.github.io/nightscout/api and its swagger.yaml: sgv in mg/dL, date in milliseconds since 1970."""
    for entry in digits(payload):
        assert entry["type"] == "sgv"
        yield Said(code=loinc("99504-3"), value=quantity(entry["sgv"], "mg/dL"), start=epoch(Decimal(entry["date"]) / 1000))


def librelinkup(payload: bytes) -> Iterator[Said]:
    """What followers of the service agree on, https://github.com/timoschlueter/nightscout-librelink-up.

    ValueInMgPerDl at FactoryTimestamp, in UTC. The connection carries the current value twice, the graph the history.
    """
    data = digits(payload)["data"]
    connection = data["connection"]
    for point in (connection["glucoseMeasurement"], connection["glucoseItem"], *data["graphData"]):
        when = datetime.strptime(point["FactoryTimestamp"], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
        value = quantity(point["ValueInMgPerDl"], "mg/dL")
        yield Said(code=loinc("99504-3"), value=value, start=at(when), device=connection["sensor"]["sn"], which=point["type"])


def iot_central(payload: bytes) -> Iterator[Said]:
    """https://learn.microsoft.com/azure/iot-central/core/howto-export-to-event-hubs: deviceId, enqueuedTime and what a device measured.

    Temperatures of the sample are degrees Fahrenheit, which it does not say; nor does it say of which kind its variability is.
    """
    for message in digits(payload)["Body"]:
        place = {"start": at(message["enqueuedTime"]), "device": message["deviceId"]}
        told = message["telemetry"]
        for name, code, unit in _TELEMETRY:
            if name in told:
                yield Said(code=code, value=quantity(told[name], unit), **place)
        if "BloodPressure" in told:
            yield _pressure(told["BloodPressure"]["Systolic"], told["BloodPressure"]["Diastolic"], place)


def iot_hub(payload: bytes) -> Iterator[Said]:
    """https://learn.microsoft.com/azure/iot-hub/iot-hub-devguide-messages-construct: device and time are properties of the message."""
    message = digits(payload)
    place = {"start": at(message["Properties"]["iothub-creation-time-utc"])}
    place["device"] = message["SystemProperties"]["iothub-connection-device-id"]
    told = message["Body"]
    yield _pressure(told["systolic"], told["diastolic"], place)
    yield Said(code=loinc("55423-8"), value=quantity(told["steps"], "{steps}"), **place)


_TELEMETRY: Final = (
    ("HeartRate", loinc("8867-4"), "/min"),
    ("RespiratoryRate", loinc("9279-1"), "/min"),
    ("BodyTemperature", loinc("8310-5"), "[degF]"),
    ("HeartRateVariability", "iomt|HeartRateVariability", ""),
)


def _pressure(systolic: str, diastolic: str, place: dict[str, str]) -> Said:
    parts = ((loinc("8462-4"), quantity(diastolic, "mm[Hg]")), (loinc("8480-6"), quantity(systolic, "mm[Hg]")))
    return Said(code=loinc("85354-9"), parts=parts, **place)


def connected_bed(payload: bytes) -> Iterator[Said]:
    """Our own description, adapters/connected_bed/README.md: makers publish none. A rate of 0 was not measured."""
    read = digits(payload)
    bed = read["bed"]["serial"]
    for one in (*read["measurements"], *read["events"]):
        yield _of_a_bed(one, {"start": at(one["at"]), "device": bed, "which": one["seq"]})


_OF_A_BED: Final = {
    "weight": (loinc("29463-7"), "kg"),
    "heart_rate": (loinc("8867-4"), "/min"),
    "respiratory_rate": (loinc("9279-1"), "/min"),
}
_EVENTS: Final = {"edge": "edge-of-bed", "exit": "bed-exit", "entry": "bed-entry"}


def _of_a_bed(one: Json, place: dict[str, str]) -> Said:
    if "type" in one:
        event = _EVENTS.get(one["type"])
        code = ours("bed-event") if event else f"bed|{one['type']}"
        return Said(code=code, value=f"={ours('x').rpartition('/')[0]}/bed-event|{event}" if event else "", **place)
    code, unit = _OF_A_BED.get(one["kind"], (f"bed|{one['kind']}", one["unit"]))
    return Said(code=code, value="?not-performed" if one["value"] == "0" else quantity(one["value"], unit), **place)


def _nanoseconds(text: str) -> str:
    return at(datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(text) // 1000))
