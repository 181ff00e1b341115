"""The containment tree of a PCD-01 order group: MDS, VMD, channel, metric, facet by OBX-4 (IHE PCD TF volume 2, appendix B.8)."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adapters.hl7v2.message import Segment
from adapters.pcd01.mapping import WAVEFORM_TYPE
from adapters.refusal import ItemRefused

Path = tuple[int, ...]
_PATH = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6}){3,4}", re.ASCII)
METRIC_LEVELS, FACET_LEVELS = 4, 5
EUI_64 = "EUI-64"
ORDER_NUMBER = 3
_EUI = re.compile(r"[0-9A-F]{16}")
NO_EUI = frozenset({"0" * 16, "F" * 16})


def path_of(obx: Segment) -> Path | None:
    """OBX-4 as numbers, or None if it has none that can be read."""
    text = obx.field(4).strip()
    return tuple(int(part) for part in text.split(".")) if _PATH.fullmatch(text) else None


def eui64(components: list[str]) -> str | None:
    """An EI of type EUI-64, or of no type but of that form, as PHD writes it: pairs in capitals with dashes.

    Raises ItemRefused where it is said to be one and is none.
    """
    identifier, _, universal, type = [*components, "", "", "", ""][:4]
    digits = re.sub(r"[-:. ]", "", identifier).upper()
    sound = _EUI.fullmatch(digits) is not None and digits not in NO_EUI
    if EUI_64 not in components[1:] and (not sound or universal or type):
        return None
    if not sound:
        raise ItemRefused("device-not-readable", "An identifier of type EUI-64 has 16 hexadecimal digits that are not all alike.")
    return "-".join(digits[place : place + 2] for place in range(0, 16, 2))


@dataclass(frozen=True, slots=True)
class Group:
    """One OBR with its OBX: nodes of the tree by path, facets by the path of their waveform, and the rows that measure."""

    obr: Segment | None
    nodes: Mapping[Path, Segment]
    facets: Mapping[Path, tuple[Segment, ...]]
    rows: tuple[Segment, ...]

    def mds(self, obx: Segment) -> Segment | None:
        path = path_of(obx)
        return None if path is None else self.nodes.get((path[0], 0, 0, 0))

    def device(self, obx: Segment) -> str | None:
        """EUI-64 of the MDS: from its row, else from the order's number, else from the row that measures."""
        for segment, field in ((self.mds(obx), 18), (self.obr, ORDER_NUMBER), (obx, 18)):
            if segment is None:
                continue
            for text in segment.repetitions(field):
                if (found := eui64(segment.split(text))) is not None:
                    return found
        return None


def names_device(obr: Segment) -> bool:
    """Whether OBR-3 is the device's, or says that it is one: any other is a number of the hospital's."""
    try:
        return any(eui64(obr.split(text)) is not None for text in obr.repetitions(ORDER_NUMBER))
    except ItemRefused:
        return True


def group(obr: Segment | None, segments: Iterable[Segment], known: Mapping[Path, Segment]) -> Group:
    """Sort the OBX of an order group. `known`: nodes that earlier groups of the message described."""
    nodes: dict[Path, Segment] = dict(known)
    facets: dict[Path, list[Segment]] = {}
    rows: list[Segment] = []
    found = [(path_of(obx), obx) for obx in segments]
    waves = {path for path, obx in found if obx.field(2) == WAVEFORM_TYPE and path is not None}
    for path, obx in found:
        if path is not None and not obx.field(2).strip():
            nodes[path] = obx
        elif path is not None and len(path) == FACET_LEVELS and path[:METRIC_LEVELS] in waves:
            facets.setdefault(path[:METRIC_LEVELS], []).append(obx)
        else:
            rows.append(obx)
    return Group(obr, nodes, {path: tuple(found) for path, found in facets.items()}, tuple(rows))
