"""Answers and exports of makers' clouds and of phones, as JSON."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from tests.support.independent.said import OURS, SNOMED, Said, absent, at, coded, digits, epoch, loinc, mdc, ours, quantity

Json = dict[str, Any]


def open_mhealth(payload: bytes) -> Iterator[Said]:
    """https://www.openmhealth.org/documentation/#/schema-docs/schema-library: a data point, several, or a body, by its schema.

    What has a descriptive_statistic describes many measurements and is none; what reports itself was written down by a person.
    """
    read = digits(payload)
    for point in read if isinstance(read, list) else [read]:
        body = point.get("body", point)
        frame = body["effective_time_frame"]
        interval = frame.get("time_interval", {"start_date_time": frame.get("date_time")})
        start, end = at(interval["start_date_time"]), at(interval.get("end_date_time"))
        if "duration" in interval:
            assert interval["duration"]["unit"] == "min"
            end = at(datetime.fromisoformat(start) + timedelta(minutes=int(interval["duration"]["value"])))
        manual = point.get("header", {}).get("modality") == "self-reported"
        yield _of_a_body(body, {"start": start, "end": end, "manual": manual})


def _of_a_body(body: Json, place: Json) -> Said:
    if "descriptive_statistic" in body:
        return Said(code=f"open-mhealth|{body['descriptive_statistic']}", **place)
    if "systolic_blood_pressure" in body:
        halves = [(loinc(code), body[f"{name}_blood_pressure"]) for name, code in (("systolic", "8480-6"), ("diastolic", "8462-4"))]
        parts = tuple(sorted((code, quantity(one["value"], {"mmHg": "mm[Hg]"}[one["unit"]])) for code, one in halves))
        site = {"left upper arm": f"{SNOMED}|368208006", None: ""}[body.get("measurement_location")]
        return Said(code=loinc("85354-9"), parts=parts, site=site, **place)
    if "step_count" in body:
        return Said(code=loinc("55423-8"), value=quantity(body["step_count"], "{steps}"), **place)
    if "blood_glucose" in body:
        assert (body["specimen_source"], body["blood_glucose"]["unit"]) == ("capillary blood", "mmol/L")
        return Said(code=loinc("15074-8"), value=quantity(body["blood_glucose"]["value"], "mmol/L"), **place)
    return Said(code=f"open-mhealth|{next(iter(body))}", **place)


def google_fit(payload: bytes) -> Iterator[Said]:
    """https://developers.google.com/fit/datatypes and the REST reference of datasets: nanoseconds since 1970, values by the type's fields.

    Blood pressure: systolic, diastolic. Glucose: level in mmol/L, fifth the specimen (1 interstitial fluid). Sleep: 5 is deep. A source
    that ends with user_input was typed in; a summary holds mean, highest and lowest.
    """
    for point in digits(payload)["point"]:
        start, end = (_nanoseconds(point[f"{name}TimeNanos"]) for name in ("start", "end"))
        manual = point.get("originDataSourceId", "").endswith("user_input")
        yield _of_a_point(point, {"start": start, "end": end if end != start else "", "manual": manual})


def _of_a_point(point: Json, place: Json) -> Said:
    numbers = [next(iter(one.values()), "") for one in point["value"]]
    match point["dataTypeName"].removeprefix("com.google."):
        case "heart_rate.bpm":
            return Said(code=loinc("8867-4"), value=quantity(numbers[0], "/min"), **place)
        case "step_count.delta":
            return Said(code=loinc("55423-8"), value=quantity(numbers[0], "{steps}"), **place)
        case "blood_pressure":
            return _pressure(numbers[0], numbers[1], place)
        case "blood_glucose" if numbers[4] == "1":
            return Said(code=loinc("105272-9"), value=quantity(numbers[0], "mmol/L"), **place)
        case "sleep.segment":
            return Said(code=ours("sleep-stage"), value=coded(f"{OURS}/sleep-stage", {"5": "deep"}[numbers[0]]), **place)
        case other:
            return Said(code=f"google-fit|{other}", **place)


def fitbit(payload: bytes) -> Iterator[Said]:
    """https://dev.fitbit.com/build/reference/web-api/: what the day and its minutes had, on the user's clock.

    A day's heart rate is its mean, or has the resting rate; steps last a minute or the day. A weight is in the unit that the request asked
    for, which the answer does not repeat. Sleep has stages with seconds; short awakenings stand beside them.
    """
    read = digits(payload)
    for name, code, unit, minutes in _OF_A_DAY:
        for day in read.get(name, ()):
            whole = {"start": at(day["dateTime"]), "end": at(datetime.fromisoformat(day["dateTime"]) + timedelta(days=1))}
            yield from _whole_day(name, day["value"], whole)
            for minute in read[f"{name}-intraday"]["dataset"]:
                begun = datetime.fromisoformat(f"{day['dateTime']}T{minute['time']}")
                end = at(begun + timedelta(minutes=1)) if minutes else ""
                yield Said(code=code, value=quantity(minute["value"], unit), start=at(begun), end=end)
    for one in read.get("weight", ()):
        place = {"start": at(f"{one['date']}T{one['time']}")}
        yield Said(code="fitbit|weight", value=one["weight"], **place)
        yield Said(code=loinc("39156-5"), value=quantity(one["bmi"], "kg/m2"), **place)
        yield Said(code=loinc("41982-0"), value=quantity(one["fat"], "%"), **place)
    for night in read.get("sleep", ()):
        for stage in (*night["levels"]["data"], *night["levels"]["shortData"]):
            begun = datetime.fromisoformat(stage["dateTime"])
            place = {"start": at(begun), "end": at(begun + timedelta(seconds=int(stage["seconds"])))}
            level = _LEVELS.get(stage["level"])
            code = ours("sleep-stage") if level else f"fitbit|{stage['level']}"
            yield Said(code=code, value=coded(f"{OURS}/sleep-stage", level) if level else "", **place)


_OF_A_DAY: Final = (("activities-heart", loinc("8867-4"), "/min", False), ("activities-steps", loinc("55423-8"), "{steps}", True))
_LEVELS: Final = {"light": "light", "deep": "deep", "wake": "awake"}


def _whole_day(name: str, value: Any, whole: Json) -> Iterator[Said]:
    if name == "activities-steps":
        yield Said(code=loinc("55423-8"), value=quantity(value, "{steps}"), **whole)
    elif isinstance(value, dict):
        yield Said(code=loinc("40443-4"), value=quantity(value["restingHeartRate"], "/min"), **whole)
    else:
        yield Said(code="fitbit|activities-heart", value=quantity(value, "/min"), **whole)


def ihealth(payload: bytes) -> Iterator[Said]:
    """http://developer.ihealthlabs.com/dev_documentation_RequestfordataofBloodPressure.htm and its neighbours: lists with a unit for each.

    BPUnit 0 mmHg, BGUnit 1 mmol/L, WeightUnit 0 kg; HR per minute. MDate is the clock of the wall as if it were UTC, TimeZone how far that
    is from UTC, empty where it is not known. A figure of 0 was not measured. Activity is the sum of the day.
    """
    read = digits(payload)
    assert (read.get("BPUnit", "0"), read.get("BGUnit", "1"), read.get("WeightUnit", "0")) == ("0", "1", "0")
    for one in read.get("BPDataList", ()):
        yield _pressure(one["HP"], one["LP"], _entered(one))
        yield _measured(loinc("8867-4"), one["HR"], "/min", one)
    for one in read.get("BGDataList", ()):
        yield _measured(loinc("15074-8"), one["BG"], "mmol/L", one)
    for one in read.get("WeightDataList", ()):
        yield _measured(loinc("29463-7"), one["WeightValue"], "kg", one)
        yield _measured(loinc("39156-5"), one["BMI"], "kg/m2", one)
        yield _measured(loinc("41982-0"), one["FatValue"], "%", one)
    for one in read.get("BODataList", ()):
        yield _measured(loinc("2708-6"), one["BO"], "%", one)
        yield _measured(mdc("149530"), one["HR"], "/min", one)
    for one in read.get("ARDataList", ()):
        day = datetime.fromtimestamp(int(one["MDate"]), UTC).date()
        start, end = (at(f"{date}T00:00:00{one['TimeZone']}") for date in (day, day + timedelta(days=1)))
        yield Said(code=loinc("55423-8"), value=quantity(one["Steps"], "{steps}"), start=start, end=end)


def _entered(one: Json) -> Json:
    wall = datetime.fromtimestamp(int(one["MDate"]), UTC).replace(tzinfo=None)
    return {"start": at(f"{wall.isoformat()}{one['TimeZone']}"), "manual": one["DataSource"] == "Manual"}


def _measured(code: str, value: str, unit: str, one: Json) -> Said:
    return Said(code=code, value=absent("not-performed") if value == "0" else quantity(value, unit), **_entered(one))


def oura(payload: bytes) -> Iterator[Said]:
    """https://cloud.ouraring.com/v2/docs, heart rate: beats a minute at a time with its offset."""
    for one in digits(payload)["data"]:
        known = datetime.fromisoformat(one["timestamp"]).tzinfo is not None
        yield Said(code=loinc("8867-4") if known else "oura|no offset", value=quantity(one["bpm"], "/min"), start=at(one["timestamp"]))


def nightscout(payload: bytes) -> Iterator[Said]:
    """https://nightscout.github.io/nightscout/api and its swagger.yaml: sgv in mg/dL, date in milliseconds since 1970."""
    for entry in digits(payload):
        assert entry["type"] == "sgv"
        yield Said(code=loinc("99504-3"), value=quantity(entry["sgv"], "mg/dL"), start=epoch(Decimal(entry["date"]) / 1000))


def librelinkup(payload: bytes) -> Iterator[Said]:
    """What followers of the service agree on, https://github.com/timoschlueter/nightscout-librelink-up.

    ValueInMgPerDl, or else Value in mmol/L, at FactoryTimestamp, in UTC. The connection carries the current value twice, the graph the
    history; what is older than the sensor's activation is of the one before.
    """
    data = digits(payload)["data"]
    connection = data["connection"]
    sensor = connection["sensor"]
    for point in (connection["glucoseMeasurement"], connection["glucoseItem"], *data["graphData"]):
        when = datetime.strptime(point["FactoryTimestamp"], "%m/%d/%Y %I:%M:%S %p").replace(tzinfo=UTC)
        milligrams = point.get("ValueInMgPerDl")
        code, value = ("99504-3", quantity(milligrams, "mg/dL")) if milligrams else ("105272-9", quantity(point["Value"], "mmol/L"))
        device = sensor["sn"] if when.timestamp() >= int(sensor["a"]) else ""
        known = loinc(code) if point["type"] in ("0", "1") else f"librelinkup|{point['type']}"
        yield Said(code=known, value=value, start=at(when), device=device, which=point["type"])


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
