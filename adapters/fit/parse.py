"""FIT messages -> readings. A total of steps is one reading for each counter, whatever the number of times it was written down."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from adapters.decimal_text import decimal_text
from adapters.device_facts import DeviceFacts
from adapters.fit.mapping import (
    ACTIVITY_TYPE,
    BLOOD_PRESSURE,
    BLOOD_PRESSURE_STATUS,
    CYCLES,
    CYCLES_16,
    DEVELOPER_DATA,
    DEVICE_INFO,
    FIELD,
    FIELD_DESCRIPTION,
    FILE_ID,
    HEART_RATE_TYPE,
    HRV,
    HRV_TIME,
    MANUFACTURER,
    MONITORING,
    MONITORING_INFO,
    NAME,
    OF_A_MAKER,
    PRODUCT,
    READ,
    RECORD,
    SERIAL_NUMBER,
    STATUS_FAILED,
    STATUS_IRREGULAR,
    STEPPING,
    TIMESTAMP,
    TIMESTAMP_16,
    TYPE_IRREGULAR,
    USER_INDEX,
    WEIGHT_CALCULATING,
    WEIGHT_SCALE,
    Field,
)
from adapters.fit.messages import Message, file_of, messages, stamp
from adapters.reading import Absent, DeviceTime, Item, Quantity, Reading, Value
from adapters.refusal import ItemRefused

EPOCH = datetime(1989, 12, 31, tzinfo=UTC)
SYSTEM_TIME_MAX = 0x10000000
"""A smaller timestamp counts from when the device was switched on (FIT profile, date_time)."""

HRV_MESSAGES_MAX = 64
"""Between two records. A file that never says a time would otherwise be kept whole with each of its intervals."""

ID_FIELDS = frozenset({MANUFACTURER, SERIAL_NUMBER})
USER_MASK, USER_UNKNOWN = 0x0FFF, 0x0FFF
"""message_index: the upper bits are flags."""


@dataclass(slots=True)
class Counter:
    """The steps of one kind of movement since `start`: the latest message, and when it was written."""

    start: int | None
    last: Message
    timestamp: int
    total: int


@dataclass(slots=True)
class State:
    """What the messages so far say about those that follow."""

    id: Message | None = None
    device: str | None = None
    monitoring: int | None = None
    monitoring_start: int | None = None
    latest: int | None = None
    hrv: list[Message] = field(default_factory=list)
    counters: dict[int, Counter] = field(default_factory=dict)
    passed_over: set[int] = field(default_factory=set)


def parse(payload: bytes) -> Iterable[Item]:
    """Read one FIT file or several chained ones. Raises Unreadable before the first item."""
    return _items(messages(payload))


def device_facts(payload: bytes) -> Iterator[DeviceFacts]:
    """What device_info says of the unit that wrote the file; sensors that it talked to are units of their own and not told."""
    state = State()
    for message in messages(payload):
        if message.kind == FILE_ID:
            _open(state, message)
        elif message.kind == DEVICE_INFO and state.id is not None and state.device is not None:
            if message.number(SERIAL_NUMBER) != state.id.number(SERIAL_NUMBER):
                continue
            software, hardware, percent = message.number(5), message.number(6), message.number(32)
            yield DeviceFacts(
                device=state.device,
                firmware=None if software is None else decimal_text(software, -2),
                hardware=None if hardware is None else str(hardware),
                battery_percent=percent if percent is not None and percent <= 100 else None,  # noqa: PLR2004  percent
                said_at=_time(message.number(TIMESTAMP)),
                pointer=_pointer(message),
            )


def _items(found: Iterator[Message]) -> Iterator[Item]:
    state = State()
    for message in found:
        if message.kind == FILE_ID:
            yield from _totals(state)
            state = State(passed_over=state.passed_over)
            _open(state, message)
        elif message.kind not in READ or message.kind in {DEVELOPER_DATA, FIELD_DESCRIPTION}:
            yield from _pass_over(state, message)
        else:
            yield from _message_items(state, message)
    yield from _totals(state)


def _open(state: State, message: Message) -> None:
    """file_id: manufacturer and serial number name the unit; a serial number alone is unique for its maker only."""
    manufacturer, serial = message.number(MANUFACTURER), message.number(SERIAL_NUMBER)
    state.device = None if manufacturer is None or serial is None else f"{manufacturer}-{serial}"
    state.id = message.only(ID_FIELDS | {PRODUCT}, None)


def _pass_over(state: State, message: Message) -> Iterator[Item]:
    """The first message of a kind that is not read is reported; its content may be about a person and is not kept."""
    if message.kind in state.passed_over:
        return
    state.passed_over.add(message.kind)
    if message.kind in {DEVELOPER_DATA, FIELD_DESCRIPTION}:
        problem = ItemRefused("developer-fields", "Fields that an app added are not read: what they mean is the app's own.", keep=False)
    elif message.kind >= OF_A_MAKER:
        problem = ItemRefused(
            "unknown-message", f"Messages of the kind {message.kind} are a maker's own, and no document says them.", keep=False
        )
    else:
        problem = ItemRefused("message-not-read", f"Messages of the kind {message.kind} are not read in this version.", keep=False)
    yield problem.item(pointer=_pointer(message), raw=str(message.kind).encode(), device=state.device)


def _message_items(state: State, message: Message) -> Iterator[Item]:
    timestamp = _timestamp(state, message)
    if message.kind == HRV:
        yield from _intervals(state, message)
        return
    if message.kind == MONITORING:
        yield from _count(state, message, timestamp)
    rows = FIELD.get(message.kind, ())
    present = [row for row in rows if message.numbers(row.number)]
    if not present:
        return
    raw = _raw(state, message.only(_fields_of(message.kind, rows), timestamp))
    try:
        yield from _readings(state, message, present, timestamp, raw)
    except ItemRefused as refused:
        yield refused.item(pointer=_pointer(message), raw=raw, device=state.device)


def _fields_of(kind: int, rows: tuple[Field, ...]) -> frozenset[int]:
    more = {BLOOD_PRESSURE: {HEART_RATE_TYPE, BLOOD_PRESSURE_STATUS}}.get(kind, set())
    return frozenset({row.number for row in rows} | more | ({USER_INDEX[kind]} if kind in USER_INDEX else set()))


def _timestamp(state: State, message: Message) -> int | None:
    """Seconds since 1989-12-31; monitoring may say only the lower 16 bits, which count on from the message before."""
    timestamp = message.number(TIMESTAMP)
    if message.kind in {MONITORING, MONITORING_INFO}:
        low = message.number(TIMESTAMP_16)
        if timestamp is None and low is not None and state.monitoring is not None:
            timestamp = state.monitoring + ((low - state.monitoring) & 0xFFFF)
        if timestamp is not None:
            state.monitoring = timestamp
        if message.kind == MONITORING_INFO:
            state.monitoring_start = timestamp
    if message.kind == RECORD and timestamp is not None and timestamp != state.latest:
        state.latest, state.hrv = timestamp, []
    return timestamp


def _time(timestamp: int | None) -> DeviceTime | None:
    if timestamp is None:
        return None
    if timestamp < SYSTEM_TIME_MAX:
        return DeviceTime(kind="ticks", text=f"{timestamp} s")
    return DeviceTime(kind="utc", text=str(timestamp), instant=EPOCH + timedelta(seconds=timestamp))


def _readings(state: State, message: Message, present: list[Field], timestamp: int | None, raw: bytes) -> Iterator[Reading]:
    if timestamp is None:
        raise ItemRefused("no-time", "The message has no timestamp.")
    user = _user(message)
    common = Reading(
        measure="",
        device=state.device,
        time=_time(timestamp),
        source_id=NAME[message.kind] if user is None else f"{NAME[message.kind]}:user:{user}",
        pointer=_pointer(message),
        raw=raw,
        quality=_quality(message) if user is None else (*_quality(message), f"user-index:{user}"),
    )
    pressures = {row.component: value for row in present if row.component and (value := _value(message, row)) is not None}
    if pressures:
        yield replace(common, measure="blood-pressure", components=pressures)
    for row in present:
        value = None if row.component else _value(message, row)
        if value is not None:
            yield replace(common, measure=row.measure, value=value)


def _user(message: Message) -> int | None:
    number = message.number(USER_INDEX[message.kind]) if message.kind in USER_INDEX else None
    return None if number is None or number & USER_MASK == USER_UNKNOWN else number & USER_MASK


def _quality(message: Message) -> tuple[str, ...]:
    if message.kind != BLOOD_PRESSURE:
        return ()
    irregular = message.number(BLOOD_PRESSURE_STATUS) == STATUS_IRREGULAR or message.number(HEART_RATE_TYPE) == TYPE_IRREGULAR
    return ("irregular-pulse",) if irregular else ()


def _value(message: Message, row: Field) -> Value | None:
    """An invalid number is no value: the device had nothing to say in that field. One that failed is an error."""
    number = message.number(row.number)
    if message.kind == BLOOD_PRESSURE and message.number(BLOOD_PRESSURE_STATUS) in STATUS_FAILED:
        return Absent(reason="error")
    if number is None or number < 0:
        return None
    if message.kind == WEIGHT_SCALE and row.number == 0 and number == WEIGHT_CALCULATING:
        return Absent(reason="temp-unknown")
    return Quantity(value=decimal_text(number * row.multiply, row.exponent), unit=row.unit)


def _intervals(state: State, message: Message) -> Iterator[Item]:
    """Beats have no time of their own: they belong to the record before, and are numbered from there."""
    before = sum(len(_beats(earlier)) for earlier in state.hrv)
    state.hrv.append(message.only(frozenset({HRV_TIME}), None))
    record = None if state.latest is None else Message(kind=RECORD, at=0, order="<", slots=(stamp(state.latest, "<"),))
    if record is None or len(state.hrv) > HRV_MESSAGES_MAX:
        state.hrv.pop()
        problem = ItemRefused("no-time", "There is no record before these intervals, or too many of them behind it.", keep=False)
        yield problem.item(pointer=_pointer(message), raw=file_of((message.only(frozenset({HRV_TIME}), None),)), device=state.device)
        return
    raw = _raw(state, record, *state.hrv)
    for index, beat in enumerate(_beats(message), start=before):
        yield Reading(
            measure="rr-interval",
            device=state.device,
            time=_time(state.latest),
            value=Quantity(value=str(beat), unit="ms"),
            source_id=f"hrv:{index}",
            pointer=_pointer(message),
            raw=raw,
        )


def _beats(message: Message) -> list[int]:
    return [beat for beat in message.numbers(HRV_TIME) if beat is not None]


def _count(state: State, message: Message, timestamp: int | None) -> Iterator[Item]:
    """Keep the latest total of a counter. One that is smaller than before has started anew, some time after the one before."""
    activity, total = message.number(ACTIVITY_TYPE), message.number(CYCLES)
    total = message.number(CYCLES_16) if total is None else total
    if activity not in STEPPING or activity is None or total is None or timestamp is None:
        return
    known = state.counters.get(activity)
    start = state.monitoring_start if known is None else known.start
    if known is not None and total < known.total:
        yield _total(state, activity, known)
        start = known.timestamp
    state.counters[activity] = Counter(start=start, last=message, timestamp=timestamp, total=total)


def _totals(state: State) -> Iterator[Item]:
    for activity, counter in state.counters.items():
        yield _total(state, activity, counter)


def _total(state: State, activity: int, counter: Counter) -> Item:
    """The steps from the start of the counter to the last message that names them; a later file corrects the total."""
    kept = counter.last.only(frozenset({ACTIVITY_TYPE, CYCLES, CYCLES_16}), counter.timestamp)
    pointer = _pointer(counter.last)
    if counter.start is None or not SYSTEM_TIME_MAX <= counter.start <= counter.timestamp:
        problem = ItemRefused("no-time", "There is no monitoring_info that says since when the steps are counted.")
        return problem.item(pointer=pointer, raw=_raw(state, kept), device=state.device)
    began = Message(kind=MONITORING_INFO, at=0, order="<", slots=(stamp(counter.start, "<"),))
    end = _time(counter.timestamp)
    return Reading(
        measure="steps",
        device=state.device,
        time=_time(counter.start),
        end=end,
        value=Quantity(value=str(counter.total), unit="{steps}"),
        source_id=f"steps:{STEPPING[activity]}",
        modified=None if end is None else end.instant,
        pointer=pointer,
        raw=_raw(state, began, kept),
    )


def _raw(state: State, *parts: Message) -> bytes:
    return file_of((*(() if state.id is None else (state.id,)), *parts))


def _pointer(message: Message) -> str:
    return f"byte {message.at}"
