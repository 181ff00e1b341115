"""A resting ECG of one lead as an SCP-ECG record, samples as they are (EN 1064, sections 1, 3 and 6), written from samples."""

import struct
from typing import Final

from adapters.kit.scene import Scene, Unwritable
from adapters.kit.writing import Values, Writer, strip
from adapters.scp_ecg.mapping import LEAD
from adapters.scp_ecg.sections import write_record

STEP_NV, PERIOD_US = 5_000, 2_000
ABOUT, LEADS, RHYTHM = 1, 3, 6
FAMILY_NAME, ACQUIRED_WITH, DATE, TIME, ZONE, END = 0, 14, 25, 26, 34, 255
FIXED_BYTES: Final = 35
"""Of tag 14, before the first of its texts: institution, department, device, kind, maker's number, model, what it can do."""
NUMBER: Final = {measure: number for number, measure in LEAD.items()}


def _record(scene: Scene, values: Values) -> bytes:
    """Without a value the lead has no sample: its last one lies before its first."""
    samples = [int(word) for word in (values[""] or "").split()]
    definition = struct.pack("<BBIIB", 1, 0, 1, len(samples), NUMBER[scene.sort.measure])
    data = struct.pack("<HHBBH", STEP_NV, PERIOD_US, 0, 0, 2 * len(samples)) + struct.pack(f"<{len(samples)}h", *samples)
    return write_record({ABOUT: _about(scene), LEADS: definition, RHYTHM: data})


def _about(scene: Scene) -> bytes:
    offset = scene.at.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        raise Unwritable
    at = scene.at
    tags = (
        (FAMILY_NAME, b"Nobody\0"),
        (ACQUIRED_WITH, bytes(FIXED_BYTES) + b"\1\0" + scene.device.encode() + b"\0sim\0sim\0"),
        (DATE, struct.pack("<HBB", at.year, at.month, at.day)),
        (TIME, bytes((at.hour, at.minute, at.second))),
        (ZONE, struct.pack("<hH", int(offset.total_seconds()) // 60, 0) + b"\0"),
        (END, b""),
    )
    return b"".join(struct.pack("<BH", tag, len(content)) + content for tag, content in tags)


SORTS: Final = [strip(measure, "uV", ("-200", "400")) for measure in LEAD.values()]
SIMULATOR = Writer(sorts=SORTS[:3], more=SORTS[3:], unit="CART-{:05}", record=_record, payload=b"".join)
