"""Trains the dictionaries anew, always to the same bytes.

    python -m security.dictionaries.train --version 2

writes `{type}-2.zdict` beside the older ones and adds their rows to the manifest; without `--version` it replaces
version 1, which is right only as long as nothing that must be kept has been sealed with it.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Final

import zstandard

from security.dictionaries import COMPRESSION_LEVEL, FOLDER, MANIFEST, SHARED_TYPE, audit_events, observations, resources
from security.dictionaries.samples import Template, blank, fill

SEED: Final = 4_0_1
FILLED: Final = 3_000
BLANKED: Final = 3_000
DICTIONARY_BYTES_MAX: Final = 16 * 1024
SEGMENT_BYTES: Final = 1_024
"""Length of what the trainer takes in one piece; measured: longer than an element, shorter than a resource."""
MATCH_BYTES: Final = 8
WORD_BYTES_MIN: Final = 8
"""Content is kept only where at least so many bytes in a row belong to the format."""
REPEATED_OFFSETS: Final = bytes((1, 0, 0, 0, 4, 0, 0, 0, 8, 0, 0, 0))
"""The last field before the content in every dictionary that the trainer writes (RFC 8878, 5)."""

TYPES: Final[Mapping[str, Callable[[], Iterable[Template]]]] = {
    "Observation": observations.templates,
    "Patient": resources.patients,
    "Consent": resources.consents,
    "Device": resources.devices,
    "AuditEvent": audit_events.templates,
    SHARED_TYPE: resources.others,
}


def train(templates: Sequence[Template], number: int) -> bytes:
    """A dictionary for resources of these shapes that carries `number` as its id.

    The trainer's content is then cut down to the words of the format: it takes long pieces of samples, and those
    bring chance values with them. The statistics in its head count all samples and name none.
    """
    trained = zstandard.train_dictionary(
        DICTIONARY_BYTES_MAX, _samples(templates), k=SEGMENT_BYTES, d=MATCH_BYTES, dict_id=number, level=COMPRESSION_LEVEL
    ).as_bytes()
    start = trained.index(REPEATED_OFFSETS) + len(REPEATED_OFFSETS)
    return trained[:start] + b"".join(words(trained[start:], vocabulary(templates)))


def vocabulary(templates: Iterable[Template]) -> bytes:
    """All that the format itself says: the blank templates, one per line."""
    return b"\n".join(dict.fromkeys(blank(template) for template in templates))


def words(content: bytes, known: bytes) -> Sequence[bytes]:
    """The longest pieces of `content` that `known` contains, in order; what lies between them is left out."""
    kept, at = [], 0
    while at <= len(content) - WORD_BYTES_MIN:
        length = _common(content, at, known)
        if length:
            kept.append(content[at : at + length])
        at += length or 1
    return kept


def content_of(dictionary: bytes) -> bytes:
    """The part of a dictionary file that is text."""
    return dictionary[dictionary.index(REPEATED_OFFSETS) + len(REPEATED_OFFSETS) :]


def _common(content: bytes, at: int, known: bytes) -> int:
    length = WORD_BYTES_MIN
    if content[at : at + length] not in known:
        return 0
    while at + length < len(content) and content[at : at + length + 1] in known:
        length += 1
    return length


def _samples(templates: Sequence[Template]) -> list[bytes | bytearray | memoryview]:
    """Filled ones teach the statistics, blank ones make the words of the format the commonest content."""
    random = Random(SEED)  # noqa: S311 - reproducible on purpose: these are no secrets
    samples: list[bytes | bytearray | memoryview] = [fill(random.choice(templates), random) for _ in range(FILLED)]
    samples += [blank(random.choice(templates)) for _ in range(BLANKED)]
    random.shuffle(samples)
    return samples


def write(folder: Path, version: int) -> list[Mapping[str, object]]:
    """Write one file per type and the manifest, and return its rows. Files and numbers of other versions stay."""
    rows = {(row["type"], row["version"]): row for row in json.loads((folder / MANIFEST).read_text())}
    for resource_type, templates in TYPES.items():
        place = (resource_type, version)
        number = rows[place]["id"] if place in rows else 1 + max((row["id"] for row in rows.values()), default=0)
        content = train(list(templates()), number)
        file = f"{resource_type.lower()}-{version}.zdict"
        (folder / file).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        rows[place] = {"id": number, "type": resource_type, "version": version, "file": file, "sha256": digest}
    (folder / MANIFEST).write_text(json.dumps(list(rows.values()), indent=1) + "\n")
    return list(rows.values())


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m security.dictionaries.train", description="Train the Zstandard dictionaries.")
    parser.add_argument("--version", type=int, default=1, help="version to write; an existing one is replaced")
    for row in write(FOLDER, parser.parse_args(arguments).version):
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
