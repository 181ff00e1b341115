"""Rows as MongoDB documents and back: short names, binary tokens, integers for times."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hub.store.protocol import Grant, Pairing, Quarantined, ReadingMark, Stored

Document = dict[str, Any]


def document(stored: Stored) -> Document:
    """A row of `resources`. Empty fields are left out: they cost space in each of a million rows."""
    made: Document = {
        "_id": stored.row,
        "t": stored.type,
        "v": stored.version,
        "lu": stored.updated_us,
        "k": list(stored.tokens),
        "w": stored.key_version,
        "c": stored.sealed,
    }
    if stored.patient is not None:
        made["p"] = stored.patient
    if stored.others:
        made["q"] = list(stored.others)
    if stored.global_tokens:
        made["g"] = list(stored.global_tokens)
    if stored.start_us is not None:
        made["d"] = stored.start_us
        made["e"] = stored.end_us
    if stored.raw is not None:
        made["r"] = stored.raw
    if stored.reading is not None:
        made["s"] = {"m": stored.reading.modified_us, "h": list(stored.reading.values)}
    return made


def history_document(stored: Stored) -> Document:
    """A row of `history`: the same, under an id that carries the version."""
    return {**document(stored), "_id": f"{stored.row}/{stored.version}"}


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
        tokens=tuple(found.get("k", ())),
        global_tokens=tuple(found.get("g", ())),
        start_us=found.get("d"),
        end_us=found.get("e"),
        raw=found.get("r"),
        reading=ReadingMark(modified_us=mark["m"], values=tuple(mark["h"])) if mark else None,
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
    )
