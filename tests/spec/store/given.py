"""Rows, drafts and units for the tests of the store."""

from collections.abc import Sequence

from audit.record import Draft
from hub.store.protocol import Stored, Unit


def draft(id: str) -> Draft:
    return Draft(
        id=id,
        recorded_us=1,
        patient=None,
        tokens=frozenset(),
        request="r",
        sealed=b"sealed " + id.encode(),
        key_id=b"system",
        key_version=1,
        dictionary=0,
    )


def stored(id: str, version: int = 1, *, sealed: bytes = b"c", **more: object) -> Stored:
    return Stored(type="Organization", id=id, version=version, updated_us=1, sealed=sealed, key_version=1, **more)  # type: ignore[arg-type]


def unit(*ids: str, inserts: Sequence[Stored] = ()) -> Unit:
    return Unit(inserts=inserts, drafts=[draft(id) for id in ids])
