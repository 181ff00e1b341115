"""What stands at the head of an ECG file, in whatever language, and what its classes mean.

https://developer.apple.com/documentation/healthkit/hkelectrocardiogram/classification-swift.enum. The headings are translated;
their order is not: name, date of birth, recorded date, classification, symptoms, … A line is known by the form of its value.
"""

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from adapters.reading import Coded

LEAD_I, CLASSIFICATION = "ecg-lead-i", "ecg-classification"
MEASURES = (CLASSIFICATION, LEAD_I)
_SYSTEM = "http://hds-hub.invalid/fhir/CodeSystem/ecg-classification"

RECORDED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}")
RATE = re.compile(r"([0-9]{1,5}(?:[.,][0-9]{1,6})?)\s?(?:hertz|hz)", re.IGNORECASE)
LEAD = re.compile(r"(?:.{0,40}[\s\u00a0])?(I{1,3}|aV[RLF]|V[1-6])")
UNITS: Mapping[str, str] = MappingProxyType({"µV": "uV", "μV": "uV", "uV": "uV", "mV": "mV"})
"""With the sign for micro and with the Greek letter, which look alike."""


def _class(code: str, display: str) -> Coded:
    return Coded(system=_SYSTEM, code=code, display=display)


_SINUS = _class("sinus-rhythm", "Sinus rhythm")
_FIBRILLATION = _class("atrial-fibrillation", "Atrial fibrillation")
_INCONCLUSIVE = _class("inconclusive", "Inconclusive")
_LOW = _class("inconclusive-low-heart-rate", "Inconclusive: heart rate too low")
_HIGH = _class("inconclusive-high-heart-rate", "Inconclusive: heart rate too high")
_POOR = _class("inconclusive-poor-recording", "Inconclusive: poor recording")
_UNRECOGNIZED = _class("unrecognized", "The device says a class that has no code here")

CLASSES: Mapping[str, Coded] = MappingProxyType(
    {
        "sinus rhythm": _SINUS,
        "rythme sinusal": _SINUS,
        "sinusrhythmus": _SINUS,
        "atrial fibrillation": _FIBRILLATION,
        "fibrillation auriculaire": _FIBRILLATION,
        "fibrillation atriale": _FIBRILLATION,
        "vorhofflimmern": _FIBRILLATION,
        "inconclusive": _INCONCLUSIVE,
        "non concluant": _INCONCLUSIVE,
        "uneindeutig": _INCONCLUSIVE,
        "low heart rate": _LOW,
        "high heart rate": _HIGH,
        "poor recording": _POOR,
        "poor reading": _POOR,
        "unrecognized": _UNRECOGNIZED,
    }
)
"""By text as `plain` writes it: English as in Apple's documentation, French and German as far as we know; another text is kept."""


def plain(text: str) -> str:
    """Lower case, without accents, one kind of blank."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(char for char in folded if not unicodedata.combining(char)).split())
