"""Does one element answer one value of a search? From the words of R4 and the readings in docs/search.md, in the plainest way.

https://hl7.org/fhir/R4/search.html#ptypes. Dates are those of tests/spec/search/oracle.py. Nothing here comes from hub.search.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import cache
from typing import Any

from tests.e2e.differential.codes import CURRENCIES, UCUM, UNITS
from tests.e2e.differential.table import Known
from tests.spec.search.oracle import BEGINNING, END, Span, matches, span

PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")
NAME_PARTS = ("text", "family", "given", "prefix", "suffix")
ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")
LETTERS = {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d"}


@cache
def pieces(text: str, separator: str) -> tuple[str, ...]:
    """Parted where the separator stands without a backslash before it; still escaped."""
    found, place = [""], 0
    while place < len(text):
        if text[place] == "\\":
            found[-1] += text[place : place + 2]
            place += 2
            continue
        if text[place] == separator:
            found.append("")
        else:
            found[-1] += text[place]
        place += 1
    return tuple(found)


def plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)


def at(node: Any, path: tuple[str, ...]) -> list[Any]:
    """What stands at a path, each repetition."""
    if isinstance(node, list):
        return [found for item in node for found in at(item, path)]
    if not path:
        return [] if node is None else [node]
    return at(node.get(path[0]), path[1:]) if isinstance(node, dict) else []


def elements(known: Known, resource: Any) -> list[Any]:
    return [found for path in known.paths for found in at(resource, path)]


def prefixed(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in PREFIXES else ("eq", text)


# Dates


def date_spans(element: Any, kind: str) -> Iterator[Span]:
    """An instant of `meta` is a moment; a Timing its outer limits; an open end of a Period lies beyond any date."""
    if isinstance(element, str):
        found = span(element)
        yield Span(found.first, found.first.replace(microsecond=found.first.microsecond + 1)) if kind == "instant" else found
        return
    if "event" in element or "repeat" in element:
        events = [span(one) for one in element.get("event", [])]
        bounds = element.get("repeat", {}).get("boundsPeriod")
        events += list(date_spans(bounds, kind)) if bounds else []
        if events:
            yield Span(min(one.first for one in events), max(one.after for one in events))
    elif "start" in element or "end" in element:
        first = span(element["start"]).first if "start" in element else BEGINNING
        yield Span(first, span(element["end"]).after if "end" in element else END)


def date_is(kind: str, element: Any, text: str, now: datetime) -> bool:
    prefix, rest = prefixed(text)
    return any(matches(prefix, span(rest), found, now) for found in date_spans(element, kind))


# Numbers and quantities


@dataclass(frozen=True)
class Extent:
    """From low to high; None is open on that side. `without_low` and `without_high`: the bound itself is outside."""

    low: Fraction | None
    high: Fraction | None
    without_low: bool = False
    without_high: bool = False

    def reaches_above(self, bound: Fraction) -> bool:
        """Is some number of it greater than the bound?"""
        return self.high is None or self.high > bound

    def reaches_below(self, bound: Fraction) -> bool:
        return self.low is None or self.low < bound

    def lies_above(self, bound: Fraction) -> bool:
        """Is each of it greater than the bound?"""
        return self.low is not None and (self.low > bound or (self.low == bound and self.without_low))

    def lies_below(self, bound: Fraction) -> bool:
        return self.high is not None and (self.high < bound or (self.high == bound and self.without_high))

    def lies_between(self, first: Fraction, after: Fraction) -> bool:
        """Within [first, after)."""
        return self.low is not None and self.low >= first and self.high is not None and self.lies_below_or_at(after)

    def lies_below_or_at(self, after: Fraction) -> bool:
        return self.high is not None and (self.high < after or (self.high == after and self.without_high))


def half_a_digit(text: str) -> Fraction:
    """R4 #number: 100 is precise to 1, 100.00 to 0.01, 1e2 as [95, 105)."""
    digits, _, exponent = text.lower().partition("e")
    scale = len(digits.partition(".")[2])
    if exponent and not scale:
        scale = 1
    return Fraction(5, 10 ** (scale + 1)) * Fraction(10) ** int(exponent or 0)


def number_compares(found: Extent, prefix: str, text: str, factor: tuple[Fraction, Fraction]) -> bool:
    """`factor`: (times, plus) that lead from the searched unit to that in which `found` is."""
    times, plus = factor
    asked, half = Fraction(text), half_a_digit(text)
    exact, first, after = (one * times + plus for one in (asked, asked - half, asked + half))
    near = [one * times + plus for one in (asked - abs(asked) / 10, asked + abs(asked) / 10)]
    is_it = found.low == exact == found.high
    return {
        "eq": found.lies_between(first, after),
        "ne": not found.lies_between(first, after),
        "gt": found.reaches_above(exact),
        "lt": found.reaches_below(exact),
        "ge": found.reaches_above(exact) or is_it,
        "le": found.reaches_below(exact) or is_it,
        "sa": found.lies_above(exact),
        "eb": found.lies_below(exact),
        "ap": not found.lies_above(near[1]) and not found.lies_below(near[0]),
    }[prefix]


def fraction(value: Any) -> Fraction | None:
    return None if value is None else Fraction(str(value))


def number_is(element: Any, text: str) -> bool:
    if isinstance(element, dict):
        found = Extent(*(fraction(element.get(side, {}).get("value")) for side in ("low", "high")))
    else:
        found = Extent(fraction(element), fraction(element))
    return number_compares(found, *prefixed(text), (Fraction(1), Fraction(0)))


def quantity_is(element: Any, text: str) -> bool:
    """`number|system|code`, `number||unit` (code or unit as people read it) or a number in whatever unit."""
    prefix, number = prefixed(pieces(text, "|")[0])
    system, code = ([plain(one) for one in pieces(text, "|")[1:]] + ["", ""])[:2]
    sides = [element[side] for side in ("low", "high") if side in element] if "low" in element or "high" in element else [element]
    conversions = {conversion(side, system, code) for side in sides}
    if len(conversions) != 1 or None in conversions:
        return False
    ((back, factor),) = conversions
    if sides == [element]:
        if "value" not in element:
            return False
        found = compared(element.get("comparator"), in_base(element, back))
    else:
        found = Extent(*(in_base(element[side], back) if side in element else None for side in ("low", "high")))
    return number_compares(found, prefix, number, factor)


def conversion(quantity: Any, system: str, code: str) -> Any:
    """(is the element taken to its base unit, how the searched number gets there), None where the units cannot be compared."""
    own = (CURRENCIES, quantity["currency"]) if "currency" in quantity else (quantity.get("system"), quantity.get("code"))
    as_is = (False, (Fraction(1), Fraction(0)))
    if not system and not code:
        return as_is
    if not system:
        return as_is if code in (own[1], quantity.get("unit", own[1] if "currency" in quantity else None)) else None
    if system != own[0]:
        return None
    if system == UCUM and code in UNITS and own[1] in UNITS:
        return (True, UNITS[code][1:]) if UNITS[code][0] == UNITS[own[1]][0] else None
    return as_is if code in ("", own[1]) else None


def in_base(quantity: Any, back: bool) -> Fraction | None:
    value = fraction(quantity.get("value"))
    if value is None or not back:
        return value
    _, times, plus = UNITS[quantity["code"]]
    return value * times + plus


def compared(comparator: str | None, value: Fraction | None) -> Extent:
    """https://hl7.org/fhir/R4/datatypes.html#quantity: "<5" is somewhere below five."""
    return {
        None: Extent(value, value),
        "<": Extent(None, value, without_high=True),
        "<=": Extent(None, value),
        ">": Extent(value, None, without_low=True),
        ">=": Extent(value, None),
    }[comparator]


# Strings


def forms(text: str) -> set[str]:
    """Punctuation left out, and read as a space; case and accents folded; white space run together."""
    folded = "".join(c for c in unicodedata.normalize("NFD", text.casefold()) if unicodedata.category(c) != "Mn")
    for letter, without in LETTERS.items():
        folded = folded.replace(letter, without)
    made = (re.sub(r"[^\w\s]|_", replaced, folded) for replaced in ("", " "))
    return {" ".join(one.split()) for one in made}


def spaced(text: str) -> str:
    """As a string sorts."""
    return max(forms(text), key=lambda form: form.count(" ")) if text else ""


def texts(kind: str, element: Any) -> list[str]:
    if isinstance(element, str):
        return [element]
    parts = NAME_PARTS if kind == "HumanName" else ADDRESS_PARTS
    return [text for part in parts for text in at(element, (part,))]


def begins_a_word(text: str, wanted: str) -> bool:
    return any(f" {form}".find(f" {sought}") >= 0 for form in forms(text) for sought in forms(wanted))


def string_is(kind: str, element: Any, modifier: str, text: str) -> bool:
    wanted = plain(text)
    if modifier == "exact":
        return wanted in texts(kind, element)
    if modifier == "contains":
        return any(sought in form for one in texts(kind, element) for form in forms(one) for sought in forms(wanted))
    return any(begins_a_word(one, wanted) for one in texts(kind, element))


# URIs and canonicals


def uri_is(kind: str, element: str, modifier: str, text: str) -> bool:
    asked = plain(text)
    match modifier:
        case "below":
            return below(element, asked)
        case "above":
            return below(asked, element)
        case "contains":
            return asked in element
    return element == asked or (kind == "canonical" and element.partition("|")[0] == asked)


def below(url: str, above: str) -> bool:
    """R4 #uri: hierarchies of URLs, whole segments; a URN has none."""
    return url == above or ("://" in above and url.startswith(above) and (above.endswith("/") or url[len(above)] in "/?#|"))
