"""Escapes: https://hl7.org/fhir/R4/search.html#escaping"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.search.grammar import escape, is_sound, split, unescape

TEXTS = st.text(alphabet=st.sampled_from([*"ab ,|$\\\n", "é"]), max_size=12)


@given(TEXTS)
def test_any_text_survives_escaping(text: str) -> None:
    """Escaping and unescaping are inverse."""
    written = escape(text)
    assert is_sound(written)
    assert unescape(written) == text
    assert split(written, ",") == [written]
    assert split(written, "|") == [written]


@given(st.lists(TEXTS, min_size=1, max_size=5), st.sampled_from([",", "|"]))
def test_pieces_survive_joining_and_splitting(texts: list[str], separator: str) -> None:
    """Only an unescaped separator parts."""
    assert [unescape(piece) for piece in split(separator.join(map(escape, texts)), separator)] == texts


@pytest.mark.parametrize(
    ("value", "pieces"),
    [("a,b", ["a", "b"]), (r"a\,b", [r"a\,b"]), (r"a\\,b", [r"a\\", "b"]), (",", ["", ""]), (r"a\,,b", [r"a\,", "b"]), ("", [""])],
)
def test_a_comma_parts_unless_it_is_escaped(value: str, pieces: list[str]) -> None:
    r"""`\,` is a comma of the value; `\\,` is a backslash and then a separator."""
    assert split(value, ",") == pieces


@pytest.mark.parametrize(("value", "sound"), [(r"\,\|\$\\", True), (r"\n", False), ("a\\", False), (r"\\\a", False), ("", True)])
def test_a_backslash_escapes_only_what_the_specification_names(value: str, sound: bool) -> None:
    r"""`\,` `\|` `\$` `\\`, nothing else."""
    assert is_sound(value) is sound
