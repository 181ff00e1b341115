"""What waits in quarantine comes back as it went in, or a replay would store something else."""

from datetime import UTC, datetime, timedelta, timezone

import orjson
from hypothesis import given
from hypothesis import strategies as st

from adapters.reading import Absent, Coded, DeviceTime, Item, Quantity, Reading, Rejected, Samples
from hub.ingest.waiting import Waiting

texts = st.text(st.characters(codec="utf-8"), max_size=12)
coded = st.builds(Coded, system=texts, code=texts, display=texts)
strips = st.builds(Samples, data=texts, period_ms=texts, unit=texts, lower=st.none() | texts)
values = st.one_of(
    st.builds(Quantity, value=texts, unit=texts), coded, strips, st.builds(Absent, reason=st.sampled_from(["error", "unsupported"]))
)
zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(minutes=-210))])
aware = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1), timezones=zones)  # noqa: DTZ001
naive = st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2100, 1, 1))  # noqa: DTZ001
times = st.one_of(
    st.none(),
    st.builds(DeviceTime, kind=st.sampled_from(["utc", "offset"]), text=texts, instant=aware),
    st.builds(DeviceTime, kind=st.just("local"), text=texts, wall=naive),
)
readings = st.builds(
    Reading,
    measure=texts,
    device=st.none() | texts,
    time=times,
    end=times,
    value=st.none() | values,
    components=st.dictionaries(texts, values, max_size=3),
    source_id=st.none() | texts,
    modified=st.none() | aware,
    pointer=texts,
    raw=st.binary(max_size=40),
    manual=st.booleans(),
    preliminary=st.booleans(),
    context=st.dictionaries(texts, coded, max_size=2),
    quality=st.lists(texts, max_size=3).map(tuple),
)
rejected = st.builds(
    Rejected, code=texts, hint=texts, pointer=texts, raw=st.binary(max_size=40), device=st.none() | texts, keep=st.booleans()
)


@given(st.one_of(readings, rejected), st.none() | texts, st.none() | texts)
def test_an_item_comes_back_as_it_went_in(item: Item, device: str | None, zone: str | None) -> None:
    """DESIGN 7: visible and replayable; nothing of it is lost on the way."""
    waiting = Waiting(adapter="a", mapping_version="1.0.0", item=item, device=device, time_zone=zone, code="c", hint="h")
    assert Waiting.from_bytes(waiting.to_bytes()) == waiting


def test_what_waits_since_readings_had_no_end_is_read() -> None:
    """An upgrade of the hub loses nothing that waits."""
    item = Reading(measure="m", device=None, time=None, pointer="/0", raw=b"x")
    waiting = Waiting(adapter="a", mapping_version="1.0.0", item=item, device=None, time_zone=None, code="c", hint="h")
    written = orjson.loads(waiting.to_bytes())
    del written["item"]["end"]
    assert Waiting.from_bytes(orjson.dumps(written)) == waiting
