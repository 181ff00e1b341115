"""A monitor's PCD-01, written from measurements: one message a measurement, codes of IEEE 11073. README.md has the form."""

from collections.abc import Mapping

from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, pressure, sort

MDS = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
CODES: Mapping[tuple[str, str], tuple[str, str, str]] = {
    ("heart-rate-ecg", ""): ("147842^MDC_ECG_HEART_RATE", "264864^MDC_DIM_BEAT_PER_MIN", "1.2.1.1"),
    ("oxygen-saturation", ""): ("150456^MDC_PULS_OXIM_SAT_O2", "262688^MDC_DIM_PERCENT", "1.4.1.1"),
    ("body-temperature", ""): ("150364^MDC_TEMP_BODY", "268192^MDC_DIM_DEGC", "1.5.1.1"),
    ("respiratory-rate-thoracic", ""): ("151578^MDC_TTHOR_RESP_RATE", "264928^MDC_DIM_RESP_PER_MIN", "1.6.1.1"),
    ("blood-pressure", "systolic"): ("150021^MDC_PRESS_BLD_NONINV_SYS", "266016^MDC_DIM_MMHG", "1.3.1.1"),
    ("blood-pressure", "diastolic"): ("150022^MDC_PRESS_BLD_NONINV_DIA", "266016^MDC_DIM_MMHG", "1.3.1.2"),
}
"""Measure and component -> code, unit, place in the tree of the device (MDS.VMD.channel.metric)."""
TYPE = "ORU^R01^ORU_R01"
PROFILE = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"


def _message(scene: Scene, values: Values) -> str:
    at = f"{scene.at:%Y%m%d%H%M%S%z}"
    head = rf"MSH|^~\&|GW^0102030405060708^EUI-64|ICU|HUB|HDS|{at}||{TYPE}|SIM-{scene.number}|P|2.6|||AL|NE||UNICODE UTF-8|||{PROFILE}"
    unit = scene.device.replace("-", "")
    order = f"OBR|1||{scene.number}|{MDS}|||{at}"
    monitor = f"OBX|1||{MDS}|1.0.0.0|||||||X|||||||{unit}^^{unit}^EUI-64"
    rows = [_row(place, CODES[scene.sort.measure, name], value) for place, (name, value) in enumerate(values.items(), start=2)]
    return "\r".join((head, "PID|1||SIM||Nobody^Simulated", order, monitor, *rows, ""))


def _row(place: int, code: tuple[str, str, str], value: str | None) -> str:
    """No value: OBX-8 NAV, OBX-11 X (IHE DEC, table for missing values)."""
    term, unit, node = code
    flag, status = ("", "F") if value is not None else ("NAV", "X")
    return f"OBX|{place}|NM|{term}^MDC|{node}|{value or ''}|{unit}^MDC||{flag}|||{status}"


SIMULATOR = Writer(
    sorts=[
        sort("heart-rate-ecg", "/min"),
        sort("oxygen-saturation", "%", 1),
        sort("body-temperature", "Cel", 1),
        sort("respiratory-rate-thoracic", "/min", 0, ("10", "22")),
        pressure(),
    ],
    unit=lambda number: (0x0009FBFFFF000000 + number).to_bytes(8, "big").hex("-").upper(),
    record=_message,
    payload=lambda messages: "".join(messages).encode(),
)
