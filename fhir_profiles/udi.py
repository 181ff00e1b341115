"""A unique device identifier as it is printed (HRF) -> device identifier and production identifiers.

The three forms that the FDA's "UDI formats by FDA-Accredited Issuing Agency" (version 1.3) sets out: GS1 application identifiers,
HIBCC (ANSI/HIBC 2.5), and ISBT 128 of ICCBBA. Issuers as R4 Device.udiCarrier.issuer names them. Nothing is guessed: what does not
follow its form, or whose check character is wrong, is an error that says where.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Final

GS1: Final = "http://hl7.org/fhir/NamingSystem/gs1-di"
HIBCC: Final = "http://hl7.org/fhir/NamingSystem/hibcc-dI"
ICCBBA: Final = "http://hl7.org/fhir/NamingSystem/iccbba-other-di"

HRF_CHARS_MAX: Final = 200
"""More than twice the longest UDI of the three forms."""
CENTURY: Final = 2000
"""Of two-digit years: the first UDIs were printed in 2013."""
HIBC_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-. $/+%"

_GS1_PART = re.compile(r"\((\d{2})\)([^()]+)")
_GS1_TEXT = re.compile(r"[!-\"%-?A-Z_a-z]{1,20}")
_HIBC_DI = re.compile(r"[A-Z][A-Z0-9]{3}[A-Z0-9]{1,18}[0-9]")
_HIBC_TEXT = re.compile(r"[A-Z0-9]{1,18}")
_ISBT = re.compile(
    r"=/(?P<di>[A-Z0-9]{16})(?:=,(?P<serial>[A-Z0-9]{6}))?(?:=(?P<donation>[A-Z0-9]{15}))?"
    r"(?:=>(?P<expires>\d{6}))?(?:=\}(?P<made>\d{6}))?(?:&,1(?P<lot>[A-Z0-9]{1,18}))?"
)


class BadUdi(ValueError):
    """What was given is no UDI; the text says where and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Udi:
    """issuer     URI of the agency
    identifier    DI: the labeler and the model
    lot, serial, made, expires  production identifiers; dates as FHIR dateTime, only as precise as they are printed
    donation      ISBT 128 donation identification number
    carrier       the whole, as given
    """

    issuer: str
    identifier: str
    carrier: str = field(repr=False)
    lot: str | None = None
    serial: str | None = field(default=None, repr=False)
    made: str | None = None
    expires: str | None = None
    donation: str | None = field(default=None, repr=False)


def parse_udi(text: str) -> Udi:
    """Raises BadUdi."""
    carrier = text.strip()
    if len(carrier) > HRF_CHARS_MAX:
        raise BadUdi(f"a UDI has at most {HRF_CHARS_MAX} characters")
    if carrier.startswith("("):
        return _gs1(carrier)
    if carrier.startswith("+"):
        return _hibcc(carrier)
    if carrier.startswith("=/"):
        return _iccbba(carrier)
    raise BadUdi("a UDI begins with (01) for GS1, + for HIBCC or =/ for ICCBBA")


def parse_identifier(text: str) -> Udi:
    """A device identifier alone, as a product has it: a GTIN of 14 digits, or the DI part of a UDI. Raises BadUdi."""
    return parse_udi(f"(01){text.strip()}" if text.strip().isdigit() else text)


def _gs1(carrier: str) -> Udi:
    parts = _GS1_PART.findall(carrier)
    if "".join(f"({ai}){value}" for ai, value in parts) != carrier:
        raise BadUdi("GS1: write each application identifier in parentheses with its value behind it, as on the label")
    if parts[0][0] != "01":
        raise BadUdi("GS1: a UDI begins with (01) and the GTIN")
    made = Udi(issuer=GS1, identifier=_gtin(parts[0][1]), carrier=carrier)
    for ai, value in parts[1:]:
        made = _gs1_part(made, ai, value)
    return made


def _gs1_part(made: Udi, ai: str, value: str) -> Udi:
    name = {"10": "lot", "21": "serial", "11": "made", "17": "expires"}.get(ai)
    if name is None:
        raise BadUdi(f"GS1: ({ai}) is no part of a UDI; there are (01), (10), (11), (17) and (21)")
    if getattr(made, name) is not None:
        raise BadUdi(f"GS1: ({ai}) stands twice")
    if ai in ("10", "21"):
        if not _GS1_TEXT.fullmatch(value):
            raise BadUdi(f"GS1: ({ai}) has at most 20 characters of GS1's set")
        return replace(made, **{name: value})
    if not re.fullmatch(r"\d{6}", value):
        raise BadUdi(f"GS1: ({ai}) is a date of six digits, YYMMDD")
    return replace(made, **{name: _ymd(value, f"GS1: ({ai})")})


def _gtin(text: str) -> str:
    """GS1 General Specifications 7.9: from the right, weights 3 and 1 by turns."""
    if not re.fullmatch(r"\d{14}", text):
        raise BadUdi("GS1: (01) is a GTIN of 14 digits")
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(text[:-1])))
    if (10 - total % 10) % 10 != int(text[-1]):
        raise BadUdi("GS1: the last digit of the GTIN does not fit the others; read it again from the label")
    return text


def _hibcc(carrier: str) -> Udi:
    body, check = carrier[:-1], carrier[-1]
    if any(one not in HIBC_ALPHABET for one in carrier):
        raise BadUdi("HIBCC: there is a character that HIBC does not have")
    if HIBC_ALPHABET[sum(HIBC_ALPHABET.index(one) for one in body) % len(HIBC_ALPHABET)] != check:
        raise BadUdi("HIBCC: the last character does not fit the others; read it again from the label")
    identifier, *parts = body[1:].split("/")
    if not _HIBC_DI.fullmatch(identifier):
        raise BadUdi("HIBCC: behind + come the labeler's four characters, the product's and one digit")
    made = Udi(issuer=HIBCC, identifier=identifier, carrier=carrier)
    for part in parts:
        made = _hibc_part(made, part)
    return made


def _hibc_part(made: Udi, part: str) -> Udi:
    for prefix, name in (("$$+", "serial"), ("$+", "serial"), ("$$", "lot"), ("$", "lot")):
        if part.startswith(prefix):
            rest = part.removeprefix(prefix)
            return _hibc_dated(made, name, rest) if prefix.startswith("$$") else _hibc_text(made, name, rest)
    if match := re.fullmatch(r"(14D|16D)(\d{8})", part):
        text = match[2]
        found = _date(int(text[:4]), int(text[4:6]), int(text[6:]), f"HIBCC: /{match[1]}")
        return _once(made, "expires" if match[1] == "14D" else "made", found)
    if part.startswith("S"):
        return _hibc_text(made, "serial", part[1:])
    raise BadUdi("HIBCC: a part is none of $, $+, $$, $$+, S, 14D and 16D")


def _hibc_dated(made: Udi, name: str, rest: str) -> Udi:
    """`$$` and `$$+`: an expiry date, whose form its first digit says (none: month and year), then lot or serial number."""
    if rest.startswith("7"):
        return _hibc_text(made, name, rest[1:])
    form, digits = (rest[0], rest[1:]) if rest[:1] in tuple("23456") else ("", rest)
    length = {"": 4, "2": 6, "3": 6, "4": 8, "5": 5, "6": 7}[form]
    text, value = digits[:length], digits[length:]
    if len(text) < length or not text.isdigit():
        raise BadUdi("HIBCC: the expiry date behind $$ is too short")
    made = _once(made, "expires", _hibc_date(form, text))
    return _hibc_text(made, name, value) if value else made


def _hibc_date(form: str, text: str) -> str:
    where = "HIBCC: the expiry date"
    if form == "":
        return _ymd(f"{text[2:4]}{text[:2]}00", where)
    if form == "2":
        return _ymd(f"{text[4:6]}{text[:4]}", where)
    if form in ("5", "6"):
        return _ordinal(CENTURY + int(text[:2]), int(text[2:5]), where)
    return _ymd(text[:6], where)


def _hibc_text(made: Udi, name: str, value: str) -> Udi:
    if not _HIBC_TEXT.fullmatch(value):
        raise BadUdi(f"HIBCC: a {name} number has 1 to 18 letters and digits")
    return _once(made, name, value)


def _once(made: Udi, name: str, value: str) -> Udi:
    if getattr(made, name) not in (None, value):
        raise BadUdi(f"HIBCC: two parts say what the {name} is")
    return replace(made, **{name: value})


def _iccbba(carrier: str) -> Udi:
    match = _ISBT.fullmatch(carrier)
    if match is None:
        raise BadUdi("ICCBBA: write =/ and 16 characters, then =, = => =} and &,1 with what they bring, in this order")
    return Udi(
        issuer=ICCBBA,
        identifier=match["di"],
        carrier=carrier,
        serial=match["serial"],
        donation=match["donation"],
        expires=_isbt_date(match["expires"], "ICCBBA: =>"),
        made=_isbt_date(match["made"], "ICCBBA: =}"),
        lot=match["lot"],
    )


def _isbt_date(text: str | None, where: str) -> str | None:
    """cYYJJJ: the third digit of the year, two more, and the day of the year."""
    return None if text is None else _ordinal(CENTURY + int(text[:3]), int(text[3:]), where)


def _ymd(text: str, where: str) -> str:
    """YYMMDD; a day of 00 says only the month (GS1 General Specifications 3.4)."""
    year, month, day = CENTURY + int(text[:2]), int(text[2:4]), int(text[4:6])
    return _date(year, month, day or 1, where)[: 10 if day else 7]


def _date(year: int, month: int, day: int, where: str) -> str:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise BadUdi(f"{where} is no date") from None


def _ordinal(year: int, day: int, where: str) -> str:
    found = date(year, 1, 1) + timedelta(days=day - 1)
    if day < 1 or found.year != year:
        raise BadUdi(f"{where} is no date")
    return found.isoformat()
