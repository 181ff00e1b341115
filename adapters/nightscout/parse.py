"""Nightscout documents -> readings: an entry gives one item, a treatment one for each thing it holds."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.iso_time import device_time
from adapters.json_fields import is_number, kept, word
from adapters.limits import ITEMS_MAX, YEAR_MAX
from adapters.nightscout.documents import ENTRIES, TREATMENT, Part
from adapters.nightscout.mapping import WORDS
from adapters.reading import DeviceTime, Item, Reading
from adapters.refusal import ItemRefused, check_length

EPOCH_MS_MIN = 10**11
"""1973; anything less is seconds."""
EPOCH_MS_MAX = int(datetime(YEAR_MAX, 1, 1, tzinfo=UTC).timestamp()) * 1000
OFFSET_MAX = 14 * 60
AMOUNTS, NO_AMOUNT = ("insulin", "carbs", "glucose"), "?"

Document = Mapping[str, Any]


def parse(payload: bytes) -> Iterable[Item]:
    """Read an array of documents, one document, or an answer of API version 3. Raises Unreadable before the first item."""
    found = json_payload.load_exact(payload)
    pointer = ""
    if type(found) is dict and "result" in found:
        found, pointer = found["result"], "/result"
    documents = found if type(found) is list else [found]
    if type(found) is dict and not {"type", "eventType"} & found.keys():
        raise Unreadable("not-nightscout", "This is no entry and no treatment of Nightscout: it needs `type` or `eventType`.")
    if len(documents) > ITEMS_MAX:
        raise Unreadable("too-many-items", f"Send at most {ITEMS_MAX} documents at once.", pointer=pointer)
    return _items(pointer, documents)


def _items(pointer: str, documents: list[Any]) -> Iterator[Item]:
    for index, document in enumerate(documents):
        yield from _document_items(f"{pointer}/{index}", document)


def _kept(document: Any) -> Any:
    """Where a text stands in place of an amount, it is not said which; but that there is one, for an empty one counts as not filled in."""
    made = kept(document, WORDS) or {}
    if type(document) is not dict:
        return made
    return made | {name: NO_AMOUNT for name in AMOUNTS if type(document.get(name)) is str and document[name]}


def _document_items(pointer: str, document: Any) -> Iterator[Item]:
    raw = json_payload.dumps([_kept(document)])
    try:
        check_length(raw)
        time, readers = _time_of(document), _readers(document)
    except ItemRefused as refused:
        yield refused.item(pointer=pointer, raw=raw)
        return
    for reader in readers:
        try:
            parts = list(reader(document))
            made = [_reading(part, document, time, pointer, raw) for part in parts]
        except ItemRefused as refused:
            yield refused.item(pointer=pointer, raw=raw)
        else:
            yield from made


def _readers(document: Document) -> list[Any]:
    """What an entry is, it says; of a treatment everything that it holds is read."""
    if "eventType" not in document:
        reader = ENTRIES.get(word(document, "type") or "")
        if reader is None:
            raise ItemRefused("unknown-measure", "The `type` of the entry has no measure in this version; it is kept.")
        return [reader]
    readers = [reader for holds, reader in TREATMENT if holds(document)]
    if not readers:
        raise ItemRefused("unknown-measure", "The treatment holds neither insulin, food, glucose nor an event that is known; it is kept.")
    return readers


def _reading(part: Part, document: Document, time: DeviceTime, pointer: str, raw: bytes) -> Reading:
    """Nightscout holds an entry unique by time and type, a treatment by time and event type; so do we."""
    kind = word(document, "eventType") or word(document, "type") or ""
    return Reading(
        measure=part.measure,
        device=None,
        time=time,
        end=None if part.lasts is None else _end(time, part.lasts),
        value=part.value,
        source_id=kind or None,
        modified=_modified(document.get("srvModified")),
        pointer=f"{pointer}/{part.place}",
        raw=raw,
        manual=part.manual,
        context=part.context,
        quality=part.quality,
    )


def _time_of(document: Any) -> DeviceTime:
    """The instant; `utcOffset` only shows the wearer's clock, and 0 is what uploaders write that do not know it."""
    if type(document) is not dict:
        raise ItemRefused("not-a-document", "A document must be an object.", keep=False)
    if document.get("isValid") is False:
        raise ItemRefused("deleted-at-source", "The document was deleted on the site; if it was stored before, delete it here too.")
    time, offset = _instant(document), document.get("utcOffset")
    if time.instant is None or time.kind != "utc" or type(offset) is not int or not 0 < abs(offset) <= OFFSET_MAX:
        return time
    return DeviceTime(kind="offset", text=time.text, instant=time.instant.astimezone(_zone(offset)))


def _instant(document: Document) -> DeviceTime:
    date, text = document.get("date"), word(document, "created_at")
    if text is not None and "eventType" in document:
        time = device_time(text)
        if time.instant is None:
            raise ItemRefused("time-not-readable", "`created_at` needs an offset or Z.")
        return time
    if date is None:
        raise ItemRefused("no-time", "The document has neither `date` nor, as a treatment, `created_at`.")
    instant = _epoch(date)
    if instant is None:
        raise ItemRefused("time-not-readable", "`date` must be milliseconds since 1970.")
    return DeviceTime(kind="utc", text=str(date), instant=instant)


def _epoch(value: object) -> datetime | None:
    if type(value) is not int or not EPOCH_MS_MIN <= value < EPOCH_MS_MAX:
        return None
    seconds, milliseconds = divmod(value, 1000)
    return datetime.fromtimestamp(seconds, UTC) + timedelta(milliseconds=milliseconds)


def _modified(value: object) -> datetime | None:
    return _epoch(value) if is_number(value) else None


@lru_cache(256)
def _zone(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes))


def _end(time: DeviceTime, lasts: timedelta) -> DeviceTime:
    if time.instant is None or time.instant.year >= YEAR_MAX - 1:
        raise ItemRefused("time-not-readable", "The end lies beyond what a calendar of devices has.")
    end = time.instant + lasts
    return DeviceTime(kind=time.kind, text=end.astimezone(UTC).isoformat().replace("+00:00", "Z"), instant=end)
