"""Rows: numbers of leads (EN 1064, 5.6.3, table of leads) to measures."""

from collections.abc import Mapping
from types import MappingProxyType

from adapters.leads import LEADS

LEAD: Mapping[int, str] = MappingProxyType(
    {
        number: LEADS[name]
        for number, name in (
            (1, "i"),
            (2, "ii"),
            (3, "v1"),
            (4, "v2"),
            (5, "v3"),
            (6, "v4"),
            (7, "v5"),
            (8, "v6"),
            (61, "iii"),
            (62, "avr"),
            (63, "avl"),
            (64, "avf"),
        )
    }
)

RECORDING = "signal-recording"
MEASURES: tuple[str, ...] = tuple(sorted({*LEAD.values(), RECORDING}))
