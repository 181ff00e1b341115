"""Zstandard dictionaries: what every Observation has in common is written once, not in each sealed row (DESIGN 5).

The files are data with versions. One that has ever sealed a resource stays for good, under its number, byte for byte:
`manifest.json` lists number, resource type, version, file and SHA-256, and a file that differs is not used.
They hold the vocabulary of the formats (keys, codes, URLs) and nothing of a person; `train` makes them anew.

A dictionary also is the codec of the envelope: `compress` and `decompress` are safe in several threads.
"""

import hashlib
import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import zstandard

COMPRESSION_LEVEL: Final = 3
PLAINTEXT_BYTES_MAX: Final = 16 * 1024 * 1024
NO_DICTIONARY_ID: Final = 0
SHARED_TYPE: Final = "Resource"
FOLDER: Final = Path(__file__).parent
MANIFEST: Final = "manifest.json"


class DictionaryError(Exception):
    """A dictionary file is not the one that the manifest names, or the bytes are no frame of ours."""


class _Workers(threading.local):
    """Zstandard contexts must not be used by two threads at once, so each thread has its own pair."""

    def __init__(self, prepared: zstandard.ZstdCompressionDict | None) -> None:
        # The envelope names the dictionary and authenticates all bytes: neither number nor checksum is needed twice.
        self.compress = zstandard.ZstdCompressor(
            level=COMPRESSION_LEVEL, dict_data=prepared, write_dict_id=False, write_checksum=False, write_content_size=True
        ).compress
        self.decompress = zstandard.ZstdDecompressor(dict_data=prepared).decompress


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dictionary:
    """One dictionary. `id` (1–255; 0 is "none") is what a sealed resource carries."""

    id: int
    resource_type: str
    version: int
    content: bytes = field(repr=False)
    _workers: _Workers = field(init=False, repr=False)

    def __post_init__(self) -> None:
        prepared = None
        if self.content:
            prepared = zstandard.ZstdCompressionDict(self.content, dict_type=zstandard.DICT_TYPE_FULLDICT)
            prepared.precompute_compress(level=COMPRESSION_LEVEL)
        object.__setattr__(self, "_workers", _Workers(prepared))

    def compress(self, plaintext: bytes) -> bytes:
        """One frame that states its size. Raises DictionaryError above PLAINTEXT_BYTES_MAX."""
        if len(plaintext) > PLAINTEXT_BYTES_MAX:
            raise DictionaryError(f"more than {PLAINTEXT_BYTES_MAX} bytes")
        return self._workers.compress(plaintext)

    def decompress(self, frame: bytes) -> bytes:
        """Raises DictionaryError; never makes more than PLAINTEXT_BYTES_MAX bytes out of however few."""
        try:
            # The decompressor reserves what the frame announces (RFC 8878 3.1.1.1.4), so it is asked beforehand.
            if not 0 <= zstandard.frame_content_size(frame) <= PLAINTEXT_BYTES_MAX:
                raise DictionaryError("size absent or too large")
            return self._workers.decompress(frame, allow_extra_data=False)
        except zstandard.ZstdError as error:
            raise DictionaryError("no frame of this dictionary") from error


def for_type(resource_type: str) -> Dictionary:
    """The newest dictionary for a resource type; types without one of their own share "Resource"."""
    return _NEWEST.get(resource_type) or _NEWEST[SHARED_TYPE]


def by_id(id: int) -> Dictionary:
    """The dictionary that a sealed resource names. Raises KeyError if this hub does not have it."""
    return _BY_ID[id]


def load(folder: Path) -> Sequence[Dictionary]:
    """All dictionaries that the folder's manifest lists. Raises DictionaryError if a file is not the listed one."""
    rows = json.loads((folder / MANIFEST).read_text())
    return [_load(folder, row) for row in rows]


def _load(folder: Path, row: Mapping[str, str]) -> Dictionary:
    content = (folder / row["file"]).read_bytes()
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        raise DictionaryError(f"{row['file']} is not the file that {MANIFEST} names; what it sealed could not be read")
    return Dictionary(id=int(row["id"]), resource_type=row["type"], version=int(row["version"]), content=content)


def newest(dictionaries: Sequence[Dictionary]) -> Mapping[str, Dictionary]:
    """By resource type, the version that seals from now on."""
    return {one.resource_type: one for one in sorted(dictionaries, key=lambda one: one.version)}


NO_DICTIONARY: Final = Dictionary(id=NO_DICTIONARY_ID, resource_type="", version=0, content=b"")
_ALL: Final = load(FOLDER)
_NEWEST: Final = newest(_ALL)
_BY_ID: Final = {NO_DICTIONARY_ID: NO_DICTIONARY} | {one.id: one for one in _ALL}
