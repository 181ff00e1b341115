"""The tree of a PCD-01 order group -> what a unit consists of, with a metric for each thing that it reports."""

import re
from collections.abc import Iterable, Iterator, Sequence

from adapters.device_tree import DeviceTree, Limits, Metric
from adapters.device_tree import Part as DevicePart
from adapters.hl7v2.message import Message, Segment, read_messages
from adapters.hl7v2.terms import coded
from adapters.pcd01.limits import alarm_limits
from adapters.pcd01.mapping import MESSAGE_TYPE
from adapters.pcd01.parse import Part, Reader, groups, source_of
from adapters.pcd01.tree import Group, Path, path_of
from adapters.reading import Coded, Quantity, Rejected, Samples
from adapters.refusal import ItemRefused
from fhir_profiles.canonical import MDC
from fhir_profiles.catalogue import MEASURES, Measure

OFF, CALIBRATING = "OFF", "CAL"
"""OBX-8: the metric is switched off, is being calibrated."""
_CODE, _NAME = re.compile(r"[0-9]{1,10}", re.ASCII), re.compile(r"MDC_[A-Z0-9_]{1,120}", re.ASCII)


def device_trees(payload: bytes) -> Iterable[DeviceTree]:
    """Read one message or several. Raises Unreadable before the first tree."""
    return _trees(read_messages(payload))


def _trees(messages: Iterable[Message | Rejected]) -> Iterator[DeviceTree]:
    for message in messages:
        if isinstance(message, Message) and message.type == MESSAGE_TYPE:
            for found in groups(message):
                yield from _of_group(Reader(message, found))


def _of_group(reader: Reader) -> Iterator[DeviceTree]:
    metrics: dict[str, list[Metric]] = {}
    units: dict[str, Segment] = {}
    for parts in reader.understood():
        if isinstance(parts, Rejected):
            continue
        try:
            device, made = reader.group.device(parts[0].obx), _metric(reader.group, parts)
        except ItemRefused:
            continue
        if device is not None and made is not None:
            metrics.setdefault(device, []).append(made)
            units.setdefault(device, parts[0].obx)
    for device, found in metrics.items():
        yield DeviceTree(device=device, parts=tuple(_parts(reader.group, units[device])), metrics=tuple(found))


def _parts(group: Group, obx: Segment) -> Iterator[DevicePart]:
    """VMDs and channels of the MDS that the row belongs to."""
    mds = (path_of(obx) or (0,))[0]
    for path in sorted(group.nodes):
        type = _type(group.nodes[path])
        if path[0] == mds and path[1] and type is not None:
            yield DevicePart(path=_text(path), parent=_above(group, (path[0], path[1], 0, 0) if path[2] else ()), type=type)


def _metric(group: Group, parts: Sequence[Part]) -> Metric | None:
    """None for a row without a place in the tree, and for what IEEE 11073 has no code of. Raises ItemRefused."""
    obx, term = parts[0].obx, parts[0].term
    path, source = path_of(obx), source_of(obx, alone=term.component is None)
    row = MEASURES[term.measure]
    type = _coding(row)
    if path is None or source is None or type is None:
        return None
    words = {part.obx.split(text)[0] for part in parts for text in part.obx.repetitions(8)}
    return Metric(
        source_id=source,
        measure=term.measure,
        parent=_above(group, (*path[:3], 0)) or _above(group, (*path[:2], 0, 0)),
        type=type,
        unit=next((part.value.unit for part in parts if isinstance(part.value, Quantity | Samples)), None),
        state="off" if OFF in words else "on",
        calibration="not-calibrated" if CALIBRATING in words else None,
        limits=tuple(found for part in parts if (found := _limits(part)) is not None),
    )


def _limits(part: Part) -> Limits | None:
    of, unit = _coding(part.term.row), part.value.unit if isinstance(part.value, Quantity) else None
    return None if of is None or unit is None else alarm_limits(part.obx.field(7), of, unit)


def _above(group: Group, path: Path) -> str | None:
    """The place, if a row of the message describes it and it is not the MDS itself."""
    return _text(path) if path in group.nodes and len(path) > 1 and path[1] and _type(group.nodes[path]) is not None else None


def _type(node: Segment) -> Coded | None:
    found = coded(node.components(3))
    if found is None or not _CODE.fullmatch(found[0]) or not _NAME.fullmatch(found[1]):
        return None
    return Coded(system=MDC, code=found[0], display=found[1])


def _coding(row: Measure) -> Coded | None:
    codings = (*row.codings, *(coding for unit in row.units.values() for coding in unit.codings))
    found = next((coding for coding in codings if coding.system == MDC), None)
    return None if found is None else Coded(system=MDC, code=found.code, display=found.display or found.code)


def _text(path: Path) -> str:
    return ".".join(str(part) for part in path)
