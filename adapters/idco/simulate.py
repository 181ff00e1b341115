"""An interrogation of an implant as PCD-09, written from measurements: one message a measurement. README.md has the form.

That of the charge time, which is no part of a usual day, carries a report as well.
"""

import base64
from itertools import accumulate
from typing import Final

from adapters.hl7v2.write import besides, rows
from adapters.idco.mapping import MEASURES
from adapters.kit.scene import Scene
from adapters.kit.writing import Values, Writer, sort

REPORTED: Final = "cied-charge-time"
PROFILE = "IHE_PCD_009^IHE PCD^1.3.6.1.4.1.19376.1.6.1.9.1^ISO"


def one_page(text: str) -> bytes:
    """The smallest PDF that shows a line of ASCII without brackets (ISO 32000-1 sections 7.5 and 9.4)."""
    shown = f"BT /F 12 Tf 72 720 Td ({text}) Tj ET"
    bodies = (
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(shown)} >>\nstream\n{shown}\nendstream",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    )
    head = "%PDF-1.4\n"
    objects = [f"{number} 0 obj\n{body}\nendobj\n" for number, body in enumerate(bodies, start=1)]
    *places, end = accumulate(map(len, objects), initial=len(head))
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(bodies) + 1
    tail = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R >>\nstartxref\n{end}\n%%EOF\n"
    return "".join((head, *objects, tail)).encode("ascii")


def report(content: bytes, number: int = 1, instance: str = "1") -> str:
    """The OBX of a report, as makers send it."""
    data = base64.b64encode(content).decode()
    return f"OBX|{number}|ED|18750-0^Cardiac Electrophysiology Report^LN|{instance}|^Application^PDF^Base64^{data}||||||F"


def _message(scene: Scene, values: Values) -> str:
    at = f"{scene.at:%Y%m%d%H%M%S%z}"
    maker, _, unit = scene.device.partition("/")
    head = rf"MSH|^~\&|MAKER|CLINIC|HUB|HDS|{at}||ORU^R01^ORU_R01|SIM-{scene.number}|P|2.6|||AL|NE||UNICODE UTF-8|||{PROFILE}"
    results = rows(scene, values, first=1, node="1")
    person = f"PID|1||SIM^^^CLINIC^PI~{unit}^^^{maker}^U||Nobody^Simulated"
    shown = [report(one_page(f"Charge time {values[''] or 'unknown'} s"), 2)] if scene.sort.measure == REPORTED else []
    return "\r".join((head, person, f"OBR|1||{scene.number}||||{at}", *results, *shown, ""))


SORTS: Final = [
    sort("cied-battery-voltage", "V", 2, ("2.6", "3.2")),
    sort("cied-battery-longevity", "mo", 0, ("12", "120")),
    sort("cied-ra-impedance", "Ohm", 0, ("300", "900")),
]
SIMULATOR = Writer(
    sorts=SORTS,
    more=besides(MEASURES, SORTS),
    unit="SIM/MODEL:S1/SERIAL:PZC{:06}S",
    record=_message,
    payload=lambda messages: "".join(messages).encode(),
)
