"""Signed heads, kept outside the database: whoever cuts the tail off a chain there cannot cut it off here.

One small file per writer, a signed note (https://c2sp.org/signed-note): text for people, an empty line, and an Ed25519
signature over the text. Between two heads lies about a second; what happened in the last one is the part of the tail
that can vanish unseen (docs/flows/audit.md).
"""

import asyncio
import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.chain import Head
from audit.finding import Code, Finding

KEY_NAME = "hds-hub-audit"
SUFFIX = ".head"
TITLE = "hds-hub audit head 1"
ED25519 = b"\x01"
"""Signature type of signed-note."""


def write_head(directory: Path, head: Head, recorded_us: int, key: Ed25519PrivateKey) -> Path:
    """Put the signed head in place of the writer's former one. Durable on return; at no instant is the file half there.

    Raises OSError when the directory cannot be written.
    """
    path = directory / f"{head.writer.hex()}{SUFFIX}"
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(signed_note(head_text(head, recorded_us), key).encode())
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _sync_directory(directory)
    return path


def read_heads(directory: Path, public_key: Ed25519PublicKey) -> list[Head | Finding]:
    """The head of each writer, or what is wrong with its file, in the order of the writers.

    Read the heads before the records: a chain may be longer than its head, never shorter.
    """
    return [_read_head(path, public_key) for path in sorted(directory.glob(f"*{SUFFIX}"))]


def _read_head(path: Path, public_key: Ed25519PublicKey) -> Head | Finding:
    try:
        head = parse_head(verified_text(path.read_bytes().decode(), public_key))
        named = path.stem == head.writer.hex()
    except InvalidSignature:
        return _finding(path, "head-signature", "is not signed with the key of this log")
    except (OSError, ValueError):
        return _finding(path, "head-unreadable", "cannot be read as a signed head")
    return head if named else _finding(path, "head-unreadable", f"holds the head of writer {head.writer.hex()}")


def _finding(path: Path, code: Code, text: str) -> Finding:
    try:
        writer = bytes.fromhex(path.stem)
    except ValueError:
        writer = None
    return Finding(code=code, writer=writer, what=path.name, text=f"{path.name} {text}")


def _sync_directory(directory: Path) -> None:
    """A rename survives a power cut only once the directory itself is on the disk."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def head_text(head: Head, recorded_us: int) -> str:
    lines = [TITLE, _line("head", head), *(_line("follows", followed) for followed in head.follows), f"recorded {recorded_us}"]
    return "\n".join(lines) + "\n"


def _line(word: str, head: Head) -> str:
    return f"{word} {head.writer.hex()} {head.sequence} {head.hash.hex()}"


def parse_head(text: str) -> Head:
    """The reverse of `head_text`. Raises ValueError."""
    title, own, *follows, _recorded = text.splitlines()
    if title != TITLE:
        raise ValueError("not a head of this log")
    head = _parse_line("head", own)
    return Head(head.writer, head.sequence, head.hash, tuple(_parse_line("follows", line) for line in follows))


def _parse_line(word: str, line: str) -> Head:
    found, writer, sequence, hash_ = line.split(" ")
    if found != word:
        raise ValueError(f"expected {word}, found {found}")
    return Head(bytes.fromhex(writer), int(sequence), bytes.fromhex(hash_))


def signed_note(text: str, key: Ed25519PrivateKey) -> str:
    signature = b64encode(_key_id(key.public_key()) + key.sign(text.encode())).decode()
    return f"{text}\n— {KEY_NAME} {signature}\n"


def verified_text(note: str, public_key: Ed25519PublicKey) -> str:
    """The text of a note signed with this key. Raises InvalidSignature, or ValueError when it is no signed note."""
    text, separator, lines = note.rpartition("\n\n")
    if not separator:
        raise ValueError("not a signed note")
    text += "\n"
    for line in lines.splitlines():
        if _signs(line, text, public_key):
            return text
    raise InvalidSignature


def _signs(line: str, text: str, public_key: Ed25519PublicKey) -> bool:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        signature = b64decode(encoded, validate=True)
    except NotBase64:
        return False
    if dash != "—" or name != KEY_NAME or signature[:4] != _key_id(public_key):
        return False
    try:
        public_key.verify(signature[4:], text.encode())
    except InvalidSignature:
        return False
    return True


def _key_id(public_key: Ed25519PublicKey) -> bytes:
    return sha256(KEY_NAME.encode() + b"\n" + ED25519 + public_key.public_bytes_raw()).digest()[:4]


class HeadKeeper:
    """Keeps the files up with the chains: at most one write per writer and interval, none when nothing happened.

    clock_us     now, in microseconds since 1970 UTC
    interval_s   the least time between two writes, in seconds
    """

    def __init__(self, directory: Path, key: Ed25519PrivateKey, clock_us: Callable[[], int], *, interval_s: float = 1.0) -> None:
        self._directory, self._key, self._clock_us, self._interval_s = directory, key, clock_us, interval_s
        self._pending: dict[bytes, Head] = {}
        self._changed, self._closing = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.written = 0
        self.fault: OSError | None = None
        """Why the last write failed; None as soon as one succeeds. What could not be written is tried again."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def begin(self, head: Head) -> None:
        """Sign the beginning of a chain before its first record is written: no chain is ever without a head.

        Raises OSError; then the chain must not be used.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(self._write, (head,))

    def advance(self, head: Head) -> None:
        """The chain goes this far now, durably. Returns at once."""
        self._pending[head.writer] = head
        self._changed.set()

    async def close(self) -> None:
        """Write what is left and stop. Raises OSError when it cannot be written."""
        self._closing.set()
        self._changed.set()
        if self._task is not None:
            await self._task
        await self._flush()
        if self.fault is not None:
            raise self.fault

    async def _run(self) -> None:
        while not self._closing.is_set():
            await self._changed.wait()
            await self._flush()
            await self._rest()

    async def _rest(self) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), self._interval_s)
        except TimeoutError:
            return

    async def _flush(self) -> None:
        pending, self._pending = self._pending, {}
        self._changed.clear()
        try:
            await asyncio.to_thread(self._write, tuple(pending.values()))
        except OSError as fault:
            self.fault = fault
            self._pending = {**pending, **self._pending}
            self._changed.set()
        else:
            self.fault = None

    def _write(self, heads: Sequence[Head]) -> None:
        for head in heads:
            write_head(self._directory, head, self._clock_us(), self._key)
            self.written += 1
