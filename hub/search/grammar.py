r"""The escapes of a search value.

https://hl7.org/fhir/R4/search.html#escaping: `\,` `\|` `\$` `\\` stand for the character itself. A value is split
while it is still escaped, and each piece is unescaped once, last.
"""

import re

SPECIAL = ",|$\\"
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SOUND = re.compile(r"(?:[^\\]|\\[,|$\\])*", re.DOTALL)
_PIECE = {separator: re.compile(rf"(?:[^\\{separator}]|\\.)*", re.DOTALL) for separator in (",", "|", "$")}


def escape(text: str) -> str:
    """`text` as it must be written inside a search value."""
    return "".join("\\" + character if character in SPECIAL else character for character in text)


def unescape(piece: str) -> str:
    return _ESCAPED.sub(r"\1", piece) if "\\" in piece else piece


def is_sound(value: str) -> bool:
    """Does every backslash stand before a character that it may escape?"""
    return "\\" not in value or _SOUND.fullmatch(value) is not None


def split(value: str, separator: str) -> list[str]:
    """The pieces between unescaped separators ("," "|" "$"), still escaped. `value` must be sound."""
    if "\\" not in value:
        return value.split(separator)
    pieces, start = [], 0
    while True:
        found = _PIECE[separator].match(value, start)
        end = found.end() if found else start
        pieces.append(value[start:end])
        if end >= len(value):
            return pieces
        start = end + 1
