"""Rows as MongoDB documents and back: short names, binary tokens, integers for times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.store.protocol import Grant, Note, Pairing, Quarantined, ReadingMark, Stored
from security.oauth.clients import Client

VERSION_DIGITS = 9
TO_CONFIRM, DISOWNED = "open", "disowned"
"""States of what a person has to confirm: it waits for that, or is known to be of nobody."""
LASTING_US = 25 * 3_600 * 1_000_000
"""What lasts longer is marked: all others end at most so long after their start. The longest of days has 25 hours."""
Document = dict[str, Any]


def document(stored: Stored) -> Document:
    """A row of `resources`. Empty fields are left out: they cost space in each of a million rows."""
    made: Document = {
        "_id": stored.row,
        **(_tombstone(stored, stored.deleted) if stored.deleted else {"t": stored.type, "k": list(stored.tokens)}),
        "v": stored.version,
        "lu": stored.updated_us,
        "w": stored.key_version,
        "c": stored.sealed,
    }
    if stored.patient is not None:
        made["p"] = stored.patient
    if stored.others:
        made["q"] = list(stored.others)
    if stored.global_tokens and not stored.deleted:
        made["g"] = list(stored.global_tokens)
    if stored.start_us is not None:
        made["d"] = stored.start_us
        made["e"] = stored.end_us
        if stored.end_us is not None and stored.end_us - stored.start_us > LASTING_US:
            made["z"] = True
    if stored.raw is not None:
        made["r"] = stored.raw
    if stored.revived:
        made["b"] = True
    if stored.reading is not None:
        made["s"] = {"m": stored.reading.modified_us, "h": list(stored.reading.values)}
    return made


def _tombstone(stored: Stored, deleted: bytes) -> Document:
    """Without type and tokens where searches look for them: no search finds it, whatever it asks."""
    return {"x": stored.type, "y": [*stored.tokens, *stored.global_tokens], "l": deleted}


def history_document(stored: Stored, until_us: int) -> Document:
    """A row of `history`: the same, under an id that carries the version, with the time at which the next one took its place."""
    tokens = [*stored.tokens, *stored.global_tokens]
    findable = {"t": stored.type, **({"k": tokens, "g": tokens} if stored.deleted else {})}  # no search looks here
    return {**document(stored), **findable, "_id": history_id(stored.row, stored.version), "u": until_us}


def history_id(row: str, version: int) -> str:
    """Ids of one row are in the order of its versions."""
    return f"{row}/{version:0{VERSION_DIGITS}d}"


def stored(found: Mapping[str, Any]) -> Stored:
    kind, id = found["_id"].split("/")[:2]
    mark = found.get("s")
    return Stored(
        type=kind,
        id=id,
        version=found["v"],
        updated_us=found["lu"],
        sealed=found["c"],
        key_version=found["w"],
        patient=found.get("p"),
        others=tuple(found.get("q", ())),
        tokens=tuple(found.get("k", found.get("y", ()))),
        global_tokens=() if "x" in found else tuple(found.get("g", ())),
        start_us=found.get("d"),
        end_us=found.get("e"),
        raw=found.get("r"),
        reading=ReadingMark(modified_us=mark["m"], values=tuple(mark["h"])) if mark else None,
        deleted=found.get("l"),
        revived=found.get("b", False),
    )


def grant_document(grant: Grant) -> Document:
    return {
        "_id": grant.patient,
        "v": grant.version,
        "c": grant.sealed,
        "w": grant.key_version,
        "a": list(grant.actors),
        "o": grant.organization,
        "f": grant.shape,
        **({"x": True} if grant.deleted else {}),
    }


def grant(found: Mapping[str, Any]) -> Grant:
    return Grant(
        patient=found["_id"],
        version=found["v"],
        sealed=found["c"],
        key_version=found["w"],
        actors=tuple(found["a"]),
        organization=found["o"],
        shape=found["f"],
        deleted=found.get("x", False),
    )


def pairing_document(pairing: Pairing) -> Document:
    return {
        "_id": pairing.id,
        "dv": pairing.device,
        "p": pairing.patient,
        "from": pairing.from_us,
        "to": pairing.to_us,
        "c": pairing.sealed,
        "w": pairing.key_version,
    }


def pairing(found: Mapping[str, Any]) -> Pairing:
    return Pairing(
        id=found["_id"],
        device=found["dv"],
        patient=found["p"],
        from_us=found["from"],
        to_us=found["to"],
        sealed=found["c"],
        key_version=found["w"],
    )


def quarantined_document(item: Quarantined) -> Document:
    return {
        "_id": item.id,
        "cl": item.client,
        "ad": item.adapter,
        "co": item.code,
        "t": item.received_us,
        "x": datetime.fromtimestamp(item.expires_us / 1_000_000, UTC),
        "c": item.sealed,
        "w": item.key_version,
        **({"cf": TO_CONFIRM} if item.to_confirm else {}),
        **({"n": item.beside_bytes} if item.beside_bytes else {}),
    }


def quarantined(found: Mapping[str, Any]) -> Quarantined:
    return Quarantined(
        id=found["_id"],
        client=found["cl"],
        adapter=found["ad"],
        code=found["co"],
        received_us=found["t"],
        expires_us=int(found["x"].replace(tzinfo=UTC).timestamp() * 1_000_000),
        sealed=found["c"],
        key_version=found["w"],
        to_confirm=found.get("cf") == TO_CONFIRM,
    )


def client_document(client: Client) -> Document:
    return {"_id": client.client_id, **client.to_document()}


def note_document(note: Note) -> Document:
    made = {"_id": note.key, "kd": note.kind, "v": note.version, "c": note.sealed, "w": note.key_version}
    if note.patient is not None:
        made["p"] = note.patient
    if note.expires_us is not None:
        made["x"] = datetime.fromtimestamp(note.expires_us / 1_000_000, UTC)
    return made


def note(found: Mapping[str, Any]) -> Note:
    expires: datetime | None = found.get("x")
    return Note(
        key=found["_id"],
        kind=found["kd"],
        version=found["v"],
        sealed=found["c"],
        key_version=found["w"],
        patient=found.get("p"),
        expires_us=None if expires is None else int(expires.replace(tzinfo=UTC).timestamp() * 1_000_000),
    )
