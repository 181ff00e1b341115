"""How strings are compared: case and accents folded, punctuation dropped or read as a space, white space run together.

https://hl7.org/fhir/R4/search.html#string leaves the normalisation to the server; this is ours. "Jean-Pierre" is found
as "jean-pierre", "Jeanpierre", "jean pierre" and "Pierre"; "O'Brien" as "obrien" and "brien".
"""

import unicodedata
from collections.abc import Iterable

PREFIX_CHARS_MAX = 8
"""Longest prefix of a word that has a token; what is longer is decided on the opened resource."""

_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th"})
"""Letters that Unicode does not decompose and that people type without."""


def readings(text: str) -> tuple[str, ...]:
    """The normal forms: punctuation dropped, punctuation as a space; words are parted by one space.

    One if the two are the same, none without a letter or a digit.
    """
    folded = _folded(text)
    dropped = _collapsed("".join(c for c in folded if c.isalnum() or c.isspace()))
    spaced = _collapsed("".join(c if c.isalnum() else " " for c in folded))
    if not dropped:
        return ()
    return (dropped,) if dropped == spaced else (dropped, spaced)


def starts_a_word(value: str, wanted: tuple[str, ...]) -> bool:
    """Does one of the wanted readings stand at the start of a word of `value`, in any reading of it?"""
    return any(f" {sought}" in f" {text}" for text in readings(value) for sought in wanted)


def contains(value: str, wanted: tuple[str, ...]) -> bool:
    return any(sought in text for text in readings(value) for sought in wanted)


def prefixes(text: str) -> Iterable[str]:
    """The prefixes of each word in each reading, up to PREFIX_CHARS_MAX characters."""
    words = {word for reading in readings(text) for word in reading.split()}
    return {word[:length] for word in words for length in range(1, min(len(word), PREFIX_CHARS_MAX) + 1)}


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c)).translate(_LETTERS)


def _collapsed(text: str) -> str:
    return " ".join(text.split())
