"""A monitor's PCD-01, written from measurements: one message a measurement, codes of IEEE 11073. README.md has the form."""

from typing import Final

from adapters.hl7v2.terms import ALL_MEASURES
from adapters.hl7v2.write import besides, rows
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, pressure, sort

MDS = "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"
CHANNEL = "1.1.1"
"""Place of every metric in the tree of the device: MDS, VMD, channel."""
SORTS: Final = [
    sort("heart-rate-ecg", "/min"),
    sort("oxygen-saturation", "%", 1),
    sort("body-temperature", "Cel", 1),
    sort("respiratory-rate-thoracic", "/min", 0, ("10", "22")),
    pressure(),
]
TYPE = "ORU^R01^ORU_R01"
PROFILE = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO"


def _message(scene: Scene, values: Values) -> str:
    at = f"{scene.at:%Y%m%d%H%M%S%z}"
    head = rf"MSH|^~\&|GW^0102030405060708^EUI-64|ICU|HUB|HDS|{at}||{TYPE}|SIM-{scene.number}|P|2.6|||AL|NE||UNICODE UTF-8|||{PROFILE}"
    unit = scene.device.replace("-", "")
    order = f"OBR|1||{scene.number}|{MDS}|||{at}"
    monitor = f"OBX|1||{MDS}|1.0.0.0|||||||X|||||||{unit}^^{unit}^EUI-64"
    measured = rows(scene, values, first=2, node=CHANNEL)
    return "\r".join((head, "PID|1||SIM||Nobody^Simulated", order, monitor, *measured, ""))


SIMULATOR = Writer(
    sorts=SORTS,
    more=besides(ALL_MEASURES, SORTS),
    unit=lambda number: (0x0009FBFFFF000000 + number).to_bytes(8, "big").hex("-").upper(),
    record=_message,
    payload=lambda messages: "".join(messages).encode(),
)
