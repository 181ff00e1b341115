"""A key management system in one file: for a hub on one machine, for trying out, for tests.

The file holds the master keys, one line per version; the newest wraps, all unwrap. Who can read the file can open the
data: it is made with mode 0600, refused when others may read it, and belongs into a backup of its own.

    hds-hub master keys 1
    1 {64 hexadecimal digits} {8 hexadecimal digits, a check against a damaged file}

A wrapped key is: format (1 byte), version of the master key (4), nonce (12), ciphertext, tag (16); AES-256-GCM
(NIST SP 800-38D) with format, version and context authenticated.
"""

import fcntl
import hashlib
import os
import secrets
import stat
import struct
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from security.kms.protocol import KmsError

MASTER_KEY_BYTES: Final = 32
KEY_FILE_BYTES_MAX: Final = 64 * 1024
FIRST_LINE: Final = "hds-hub master keys 1"
_FORMAT: Final = 1
_NONCE_BYTES: Final = 12
_HEAD: Final = struct.Struct(">BI")

Random = Callable[[int], bytes]


class KeyFileError(KmsError):
    """The key file cannot be used; the text says why and what to do, and shows nothing of the keys."""


class LocalKms:
    """Wraps with the master keys of a file. Made by `open_key_file`."""

    def __init__(self, path: Path, keys: Mapping[int, bytes], *, random: Random = secrets.token_bytes) -> None:
        self._path, self._random = path, random
        self._ciphers, self._newest = _ciphers(keys)

    def __repr__(self) -> str:
        return "LocalKms(…)"

    @property
    def key_id(self) -> str:
        return f"local/{self._newest}"

    async def wrap(self, plaintext_key: bytes, context: bytes) -> bytes:
        head, nonce = _HEAD.pack(_FORMAT, self._newest), self._random(_NONCE_BYTES)
        return head + nonce + self._ciphers[self._newest].encrypt(nonce, plaintext_key, head + context)

    async def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        head, nonce, body = wrapped[: _HEAD.size], wrapped[_HEAD.size : _HEAD.size + _NONCE_BYTES], wrapped[_HEAD.size + _NONCE_BYTES :]
        try:
            return self._cipher(head).decrypt(nonce, body, head + context)
        except (InvalidTag, ValueError, struct.error):
            raise KmsError("a wrapped key cannot be unwrapped") from None

    def _cipher(self, head: bytes) -> AESGCM:
        format_, version = _HEAD.unpack(head)
        if format_ != _FORMAT:
            raise KmsError("a wrapped key has an unknown format")
        if version not in self._ciphers:
            # Another process of this hub may have added a version since this one started.
            self._ciphers, self._newest = _ciphers(read_key_file(self._path))
        if version not in self._ciphers:
            raise KmsError(f"{self._path} does not hold version {version} of the master key")
        return self._ciphers[version]


def open_key_file(path: Path, *, random: Random = secrets.token_bytes) -> LocalKms:
    """The KMS of a key file, which is made with a first master key if there is none.

    Raises KeyFileError if the file is not a sound one of ours, or is not the user's alone.
    """
    if not path.exists():
        _create(path, _text({1: random(MASTER_KEY_BYTES)}))
    return LocalKms(path, read_key_file(path), random=random)


def add_master_key(path: Path, *, random: Random = secrets.token_bytes) -> int:
    """Add a version, which wraps from now on, and return its number. Keys wrapped before stay readable."""
    with _folder(path) as folder:
        # Two versions added at once must not overwrite each other: what the lost one wrapped would be lost with it.
        fcntl.flock(folder, fcntl.LOCK_EX)
        keys = dict(read_key_file(path))
        version = max(keys) + 1
        _write_beside(path, _text(keys | {version: random(MASTER_KEY_BYTES)})).replace(path)
        os.fsync(folder)
    return version


def read_key_file(path: Path) -> Mapping[int, bytes]:
    """The master keys by version. Raises KeyFileError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be read: {error.strerror}") from error
    try:
        # The opened file is checked, not the path: nobody can put another one there in between.
        _refuse_shared(path, os.fstat(file))
        return _parse(path, os.read(file, KEY_FILE_BYTES_MAX))
    finally:
        os.close(file)


def _refuse_shared(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path} is not a file")
    if status.st_uid != os.geteuid():
        raise KeyFileError(f"{path} belongs to another user; the hub must own its key file")
    if status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise KeyFileError(f"{path} is open to other users; run: chmod 600 {path}")


def _parse(path: Path, content: bytes) -> Mapping[int, bytes]:
    first, *lines = content.decode("ascii", "replace").splitlines() or [""]
    keys = dict(_key(path, number, line) for number, line in enumerate(lines, start=1))
    if first != FIRST_LINE or not keys or not content.endswith(b"\n"):
        raise KeyFileError(f"{path} is not a key file or is cut off; restore it from its backup")
    return keys


def _key(path: Path, number: int, line: str) -> tuple[int, bytes]:
    version, _, rest = line.partition(" ")
    digits, _, check = rest.partition(" ")
    try:
        key = bytes.fromhex(digits)
    except ValueError:
        key = b""
    if len(key) != MASTER_KEY_BYTES or version != str(number) or check != _check(number, key):
        raise KeyFileError(f"{path} is damaged at its key {number}; restore it from its backup")
    return number, key


def _check(version: int, key: bytes) -> str:
    return hashlib.sha256(b"hds-hub master key check" + version.to_bytes(4, "big") + key).hexdigest()[:8]


def _text(keys: Mapping[int, bytes]) -> bytes:
    lines = [FIRST_LINE, *(f"{version} {key.hex()} {_check(version, key)}" for version, key in sorted(keys.items()))]
    return "".join(f"{line}\n" for line in lines).encode()


def _ciphers(keys: Mapping[int, bytes]) -> tuple[Mapping[int, AESGCM], int]:
    return {version: AESGCM(key) for version, key in keys.items()}, max(keys)


def _create(path: Path, content: bytes) -> None:
    """Put the file there whole or not at all; if another process was quicker, its file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = _write_beside(path, content)
    try:
        # link() fails where a name exists (as O_EXCL does) and never shows a half-written file (as O_EXCL would
        # after a crash between creating and writing).
        path.hardlink_to(written)
    except FileExistsError:
        pass
    finally:
        written.unlink()
    with _folder(path) as folder:
        os.fsync(folder)


def _write_beside(path: Path, content: bytes) -> Path:
    """A new file next to `path`, mode 0600, on the disk when this returns."""
    file, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(file, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    return Path(name)


@contextmanager
def _folder(path: Path) -> Iterator[int]:
    """The folder of a file, opened: to make a new name in it durable, or to lock it."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield folder
    finally:
        os.close(folder)
