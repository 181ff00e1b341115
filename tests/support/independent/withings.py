"""Answers of Withings' API."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from tests.support.independent.said import MDC, OURS, SNOMED, Said, coded, digits, epoch, loinc, ours, quantity, strip

Json = dict[str, Any]

_TYPES: Final = {
    1: (loinc("29463-7"), "kg"),
    4: (loinc("8302-2"), "m"),
    5: (loinc("91557-9"), "kg"),
    6: (loinc("41982-0"), "%"),
    8: (loinc("73708-0"), "kg"),
    11: (loinc("8867-4"), "/min"),
    12: (loinc("8310-5"), "Cel"),
    54: (loinc("2708-6"), "%"),
    71: (loinc("8310-5"), "Cel"),
    73: (loinc("61008-9"), "Cel"),
    76: (loinc("73964-9"), "kg"),
    77: (loinc("101683-1"), "kg"),
    88: (loinc("101685-6"), "kg"),
    91: (loinc("77196-4"), "m/s"),
    123: (loinc("94122-9"), "mL/kg/min"),
    135: (loinc("8633-0"), "ms"),
    136: (loinc("8625-6"), "ms"),
    137: (loinc("8634-8"), "ms"),
    138: (loinc("8636-3"), "ms"),
    155: (ours("vascular-age"), "a"),
    158: (ours("nerve-health-score"), "1"),
    159: (ours("nerve-health-score"), "1"),
    167: (ours("nerve-health-score"), "1"),
    168: (ours("extracellular-water-mass"), "kg"),
    169: (ours("intracellular-water-mass"), "kg"),
    170: (ours("visceral-fat-rating"), "1"),
    173: (ours("fat-free-mass-segment"), "kg"),
    174: (ours("fat-mass-segment"), "kg"),
    175: (ours("muscle-mass-segment"), "kg"),
    196: (ours("electrodermal-activity"), "1"),
    197: (ours("electrodermal-activity"), "1"),
    198: (ours("electrodermal-activity"), "1"),
    226: (ours("basal-metabolic-rate"), "kcal/d"),
    227: (ours("metabolic-age"), "a"),
    229: (ours("electrochemical-skin-conductance"), "uS"),
}
_DIASTOLIC, _SYSTOLIC, _FIBRILLATION = 9, 10, 130
_RHYTHMS: Final = {"0": "no-atrial-fibrillation", "1": "atrial-fibrillation"}
_LEFT_FOOT, _RIGHT_FOOT, _LEFT_WRIST = "22335008", "7769000", "5951000"
_FEET: Final = {158: _LEFT_FOOT, 159: _RIGHT_FOOT, 197: _LEFT_FOOT, 198: _RIGHT_FOOT}
_POSITIONS: Final = {1: _LEFT_WRIST, 2: "6921000", 3: "80768000", 7: "38266002", 10: "32153003", 11: "62175007", 12: "22943007"}
_ENTERED, _GOAL = (2, 4), "2"

_NIGHT: Final = {
    "total_sleep_time": (loinc("93832-4"), "s"),
    "total_timeinbed": (ours("time-in-bed"), "s"),
    "lightsleepduration": (loinc("93830-8"), "s"),
    "deepsleepduration": (loinc("93831-6"), "s"),
    "remsleepduration": (loinc("93829-0"), "s"),
    "wakeupduration": (ours("awake-duration"), "s"),
    "waso": (ours("wake-after-sleep-onset"), "s"),
    "sleep_latency": (ours("sleep-latency"), "s"),
    "wakeup_latency": (ours("wake-up-latency"), "s"),
    "sleep_efficiency": (ours("sleep-efficiency"), "1"),
    "wakeupcount": (ours("wake-up-count"), "1"),
    "out_of_bed_count": (ours("out-of-bed-count"), "1"),
    "nb_rem_episodes": (ours("rem-episode-count"), "1"),
    "sleep_score": (ours("sleep-score"), "1"),
    "hr_average": (ours("sleep-heart-rate-average"), "/min"),
    "hr_min": (ours("sleep-heart-rate-minimum"), "/min"),
    "hr_max": (ours("sleep-heart-rate-maximum"), "/min"),
    "rr_average": (ours("sleep-respiratory-rate-average"), "/min"),
    "rr_min": (ours("sleep-respiratory-rate-minimum"), "/min"),
    "rr_max": (ours("sleep-respiratory-rate-maximum"), "/min"),
    "apnea_hypopnea_index": (ours("sleep-apnea-hypopnea-index"), "/h"),
    "breathing_disturbances_intensity": (ours("breathing-disturbance-intensity"), "1"),
    "snoring": (ours("snoring-duration"), "s"),
    "snoringepisodecount": (ours("snoring-episode-count"), "1"),
}
_DEPRECATED: Final = {"durationtosleep": "sleep_latency", "durationtowakeup": "wakeup_latency", "asleepduration": "total_sleep_time"}
_MINUTES: Final = {
    "hr": (loinc("8867-4"), "/min"),
    "rr": (loinc("9279-1"), "/min"),
    "sdnn_1": (loinc("80404-7"), "ms"),
    "rmssd": (ours("heart-rate-variability-rmssd"), "ms"),
}
_STATES: Final = {"0": "awake", "1": "light", "2": "deep", "3": "rem"}


def withings(payload: bytes) -> Iterator[Said]:
    """https://developer.withings.com/api-reference/#tag/measure/operation/measure-getmeas: `value` times ten to the power of `unit`.

    `date` counts seconds since 1970; attrib 2 and 4 are entries by hand, category 2 is a goal. Positions: 2 right and 3 left arm, 10 left
    and 11 right leg, 12 torso; the page leaves out 7, which stands at figures that are the sums of those of the parts: the whole body.
    Here they are SNOMED CT codes. A type that the page does not list is named by its number.
    """
    read = digits(payload)
    for group in read["body"]["measuregrps"] if isinstance(read, dict) else read:
        place = {"start": epoch(group["date"]), "device": group.get("deviceid") or "", "manual": int(group["attrib"]) in _ENTERED}
        if group["category"] == _GOAL:
            yield Said(code="withings|goal", **place)
            continue
        pressure = []
        for one in group["measures"]:
            number = int(one["type"])
            value = f"{Decimal(one['value']).scaleb(int(one['unit'])):f}"
            if number in (_DIASTOLIC, _SYSTOLIC):
                pressure.append((loinc("8462-4" if number == _DIASTOLIC else "8480-6"), quantity(value, "mm[Hg]")))
                continue
            code, unit = _TYPES.get(number, (f"withings|{number}", ""))
            part = _POSITIONS[int(one["position"])] if "position" in one else _FEET.get(number)
            site = f"{SNOMED}|{part}" if part else ""
            yield _rhythm(value, place) if number == _FIBRILLATION else Said(code=code, value=quantity(value, unit), site=site, **place)
        if pressure:
            yield Said(code=loinc("85354-9"), parts=tuple(sorted(pressure)), **place)


def withings_sleep(payload: bytes) -> Iterator[Said]:
    """https://developer.withings.com/api-reference/#tag/sleep/operation/sleepv2-getsummary and sleepv2-get.

    A night has figures, durations in seconds, sleep_efficiency a ratio; what the page calls deprecated has the name of what replaced it. A
    stretch of sleep has a state (0 awake, 1 light, 2 deep, 3 REM) and figures by the second since 1970.
    """
    for one in digits(payload)["body"]["series"]:
        place = {"start": epoch(one["startdate"]), "end": epoch(one["enddate"]), "device": one.get("hash_deviceid") or ""}
        told = one.get("data", {})
        for name, value in told.items():
            new = _DEPRECATED.get(name, name)
            if new == name or new not in told:
                code, unit = _NIGHT.get(new, (f"withings|{name}", ""))
                yield Said(code=code if value is not None else f"withings|{name}", value=quantity(value, unit), **place)
        if "state" in one:
            yield Said(code=ours("sleep-stage"), value=coded(f"{OURS}/sleep-stage", _STATES[one["state"]]), **place)
        for name, (code, unit) in _MINUTES.items():
            for second, value in one.get(name, {}).items():
                yield Said(code=code, value=quantity(value, unit), start=epoch(second), device=place["device"])


def withings_heart(payload: bytes) -> Iterator[Said]:
    """https://developer.withings.com/api-reference/#tag/heart: heart_rate and bloodpressure of a record, afib and signal of an ECG.

    The signal is in microvolt, sampling_frequency a second; on the left wrist (wearposition 1) it is lead I, elsewhere no known lead.
    """
    for one in digits(payload)["body"]["series"]:
        place = {"start": epoch(one["timestamp"]) if "timestamp" in one else "", "device": one["deviceid"]}
        ecg = one.get("ecg")
        if "heart_rate" in one:
            code = f"{MDC}|147842" if ecg else loinc("8867-4")
            yield Said(code=code if place["start"] else "withings|heart_rate", value=quantity(one["heart_rate"], "/min"), **place)
        if "bloodpressure" in one:
            told = one["bloodpressure"]
            parts = ((loinc("8462-4"), quantity(told["diastole"], "mm[Hg]")), (loinc("8480-6"), quantity(told["systole"], "mm[Hg]")))
            yield Said(code=loinc("85354-9"), parts=parts, **place)
        if ecg:
            yield _rhythm(ecg["afib"], place)
            where = _POSITIONS[int(ecg["wearposition"])]
            period = str(1000 / int(ecg["sampling_frequency"]))
            yield Said(
                code=f"{MDC}|131329" if where == _LEFT_WRIST else f"{MDC}|131328",
                value=strip(" ".join(ecg["signal"]), period=period, origin="0", factor="1", unit="uV"),
                site=f"{SNOMED}|{where}",
                **place,
            )


def _rhythm(afib: str, place: Json) -> Said:
    return Said(code=loinc("8601-7"), value=coded(f"{OURS}/ecg-classification", _RHYTHMS[afib]), **place)
