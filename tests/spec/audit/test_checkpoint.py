"""Signed heads outside the database: SECURITY 3.3, DESIGN 6. https://c2sp.org/signed-note"""

from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from audit.chain import Head
from audit.checkpoint import KEY_NAME, head_text, parse_head, read_heads, signed_note, verified_text, write_head
from audit.finding import Finding
from tests.spec.audit.given import NOW_US, OTHER_WRITER, WRITER, chain

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
STRANGER = Ed25519PrivateKey.from_private_bytes(b"s" * 32)
PUBLIC = KEY.public_key()

bare_heads = st.builds(Head, st.binary(min_size=1, max_size=16), st.integers(0, 2**62), st.binary(min_size=32, max_size=32))
any_head = st.builds(Head, st.binary(min_size=1, max_size=16), st.integers(0, 2**62), st.just(b"h" * 32), st.lists(bare_heads).map(tuple))


def codes(found: list[Head | Finding]) -> list[str]:
    return [one.code for one in found if isinstance(one, Finding)]


@given(any_head)
def test_a_head_comes_back_from_its_note_as_it_was(head: Head) -> None:
    assert parse_head(verified_text(signed_note(head_text(head, NOW_US), KEY), PUBLIC)) == head


def test_a_note_ends_in_the_signature_line_of_the_standard() -> None:
    """signed-note: em dash, key name, base64 of the four bytes of the key id and the signature over the text."""
    text = head_text(Head(WRITER, 1, b"h" * 32), NOW_US)
    note_text, line = signed_note(text, KEY).split("\n\n")
    dash, name, encoded = line.rstrip("\n").split(" ")
    key_id = sha256(KEY_NAME.encode() + b"\n\x01" + PUBLIC.public_bytes_raw()).digest()[:4]
    assert (note_text + "\n", dash, name) == (text, "—", KEY_NAME)
    assert b64decode(encoded)[:4] == key_id
    PUBLIC.verify(b64decode(encoded)[4:], text.encode())


@given(st.data())
def test_a_note_with_one_letter_changed_is_not_believed(data: st.DataObject) -> None:
    """SECURITY 3.4, faults: swapped checkpoint."""
    note = signed_note(head_text(Head(WRITER, 7, b"h" * 32), NOW_US), KEY)
    place = data.draw(st.integers(0, note.index("\n\n") - 1))
    letter = data.draw(st.characters(codec="ascii", categories=("L", "N")).filter(lambda one: one != note[place]))
    with pytest.raises(InvalidSignature):
        verified_text(note[:place] + letter + note[place + 1 :], PUBLIC)


@pytest.mark.parametrize("encoded", ["!!!", b64encode(b"abcd").decode(), ""])
def test_a_note_whose_signature_is_none_is_not_believed(encoded: str) -> None:
    text = head_text(Head(WRITER, 7, b"h" * 32), NOW_US)
    with pytest.raises(InvalidSignature):
        verified_text(f"{text}\n— {KEY_NAME} {encoded}\n", PUBLIC)


def test_lines_of_other_signers_are_passed_over() -> None:
    """signed-note: a verifier ignores signatures by keys it does not know; a witness may add its own."""
    text = head_text(Head(WRITER, 7, b"h" * 32), NOW_US)
    stranger = signed_note(text, STRANGER).split("\n\n")[1]
    assert verified_text(signed_note(text, KEY) + stranger, PUBLIC) == text


def test_heads_that_were_written_are_read(tmp_path: Path) -> None:
    heads = [chain(3, OTHER_WRITER)[1], chain(2)[1]]
    for head in heads:
        write_head(tmp_path, head, NOW_US, KEY)
    assert read_heads(tmp_path, PUBLIC) == sorted(heads, key=lambda head: head.writer)


def test_a_later_head_takes_the_place_of_the_former_and_leaves_nothing_else(tmp_path: Path) -> None:
    """DESIGN 6: one small file per writer, at no instant half written."""
    write_head(tmp_path, chain(1)[1], NOW_US, KEY)
    path = write_head(tmp_path, chain(2)[1], NOW_US, KEY)
    assert list(tmp_path.iterdir()) == [path]
    assert read_heads(tmp_path, PUBLIC) == [chain(2)[1]]


def test_a_head_whose_writing_was_interrupted_is_the_former_one(tmp_path: Path) -> None:
    """DESIGN law 5: kill the process at any instant."""
    path = write_head(tmp_path, chain(1)[1], NOW_US, KEY)
    path.with_suffix(".tmp").write_bytes(path.read_bytes()[:20])
    assert read_heads(tmp_path, PUBLIC) == [chain(1)[1]]


def test_a_head_that_cannot_be_written_to_the_end_leaves_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SECURITY 3.4, faults: disk full."""

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    write_head(tmp_path, chain(1)[1], NOW_US, KEY)
    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_head(tmp_path, chain(2)[1], NOW_US, KEY)
    assert read_heads(tmp_path, PUBLIC) == [chain(1)[1]]


def test_where_there_is_no_directory_there_are_no_heads(tmp_path: Path) -> None:
    """Chains without heads are what `verify` reports then."""
    assert read_heads(tmp_path / "heads", PUBLIC) == []


def test_a_head_signed_with_another_key_is_a_finding_that_names_the_writer(tmp_path: Path) -> None:
    write_head(tmp_path, chain(1)[1], NOW_US, STRANGER)
    found = read_heads(tmp_path, PUBLIC)
    assert codes(found) == ["head-signature"]
    assert isinstance(found[0], Finding)
    assert found[0].writer == WRITER


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"hds-hub audit head 1\n", b"a\n\nb"])
def test_a_file_that_is_no_signed_head_is_a_finding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / f"{WRITER.hex()}.head").write_bytes(content)
    assert codes(read_heads(tmp_path, PUBLIC))[0] in {"head-unreadable", "head-signature"}


@pytest.mark.parametrize(
    "text", ["something else\n", "hds-hub audit head 1\nhead 00 1\nrecorded 1\n", "hds-hub audit head 1\nhead zz 1 00\nrecorded 1\n"]
)
def test_a_signed_text_that_is_no_head_is_a_finding(tmp_path: Path, text: str) -> None:
    (tmp_path / f"{WRITER.hex()}.head").write_text(signed_note(text, KEY), encoding="utf-8")
    assert codes(read_heads(tmp_path, PUBLIC)) == ["head-unreadable"]


def test_the_head_of_one_writer_does_not_stand_for_another(tmp_path: Path) -> None:
    """SECURITY 3.4, faults: swapped checkpoint, although each is signed well."""
    path = write_head(tmp_path, chain(1)[1], NOW_US, KEY)
    path.rename(tmp_path / f"{OTHER_WRITER.hex()}.head")
    assert codes(read_heads(tmp_path, PUBLIC)) == ["head-unreadable"]


def test_a_file_with_a_name_of_its_own_names_no_writer(tmp_path: Path) -> None:
    write_head(tmp_path, chain(1)[1], NOW_US, KEY).rename(tmp_path / "copy.head")
    found = read_heads(tmp_path, PUBLIC)[0]
    assert isinstance(found, Finding)
    assert (found.writer, found.what) == (None, "copy.head")
