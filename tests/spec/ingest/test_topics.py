"""Topics to adapters, units and clients. https://docs.oasis-open.org/mqtt/mqtt/v5.0/os/mqtt-v5.0-os.html#_Toc3901241"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.ingest.backoff import RETRY_MAX_S, backoff_s
from hub.ingest.subscribers import session_of
from hub.ingest.topics import TopicSyntax, address, apart, parse_row


def found(rows: str, topic: str) -> tuple[str, str | None] | None:
    addressed = address(topic, tuple(parse_row(row) for row in rows.split(",")))
    return None if addressed is None else (addressed.row.adapter, addressed.device)


@pytest.mark.parametrize(
    ("filter", "topic", "expected"),
    [
        ("beds/{device}/weight", "beds/B7/weight", ("a", "B7")),
        ("beds/{device}/weight", "beds/B7/pulse", None),
        ("beds/{device}/weight", "beds/B7/weight/more", None),
        ("beds/+/{device}", "beds/ward/B7", ("a", "B7")),
        ("beds/#", "beds/ward/B7", ("a", None)),
        ("beds/#", "beds", ("a", None)),
        ("{device}/#", "B7/any/thing", ("a", "B7")),
        ("#", "any/thing", ("a", None)),
        ("#", "$SYS/broker/uptime", None),
        ("+/broker/uptime", "$SYS/broker/uptime", None),
        ("{device}", "", ("a", None)),
        ("{device}", "x" * 257, ("a", None)),
    ],
)
def test_a_filter_fits_as_the_specification_says(filter: str, topic: str, expected: tuple[str, str | None] | None) -> None:
    """4.7.1 to 4.7.2: + is one level, # the rest and the parent; neither stands for the broker's own topics."""
    assert found(f"{filter}=a@c", topic) == expected


def test_the_first_row_that_fits_counts() -> None:
    assert found("beds/{device}/weight=a@c,beds/#=b@c", "beds/B7/weight") == ("a", "B7")
    assert found("beds/{device}/weight=a@c,beds/#=b@c", "beds/B7/pulse") == ("b", None)


def test_a_row_says_adapter_client_and_zone() -> None:
    row = parse_row(" beds/{device}=libreview@my-client.1;timeZone=America/Argentina/Buenos_Aires ")
    assert (row.filter, row.adapter, row.client, row.time_zone) == ("beds/+", "libreview", "my-client.1", "America/Argentina/Buenos_Aires")


@pytest.mark.parametrize(
    "row", ["", "a", "a=b", "a@b", "a/#/b=a@c", "a+=a@c", "x{device}=a@c", "{device}/{device}=a@c", "{patient}=a@c", "a=b@c;zone=x"]
)
def test_what_is_no_row_is_refused(row: str) -> None:
    with pytest.raises(TopicSyntax):
        parse_row(row)


@given(st.text(max_size=40), st.text(min_size=1, max_size=40))
def test_any_topic_has_an_answer(filter: str, topic: str) -> None:
    try:
        row = parse_row(f"{filter}=a@c")
    except TopicSyntax:
        return
    assert address(topic, (row,)) is None or row.levels


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_waiting_grows_to_a_minute_and_no_further(failures: int, chance: float) -> None:
    assert 0.25 <= backoff_s(failures, chance) <= RETRY_MAX_S
    assert backoff_s(failures, 1) == min(RETRY_MAX_S, 0.5 * 2 ** min(failures - 1, 10))


def parts(rows: str) -> list[list[str]]:
    return [[row.client for row in part] for part in apart(parse_row(row) for row in rows.split(","))]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("beds/{device}/weight=a@c,beds/{device}/pulse=a@d", [["c"], ["d"]]),
        ("beds/{device}/weight=a@c,beds/#=a@d", [["c", "d"]]),
        ("beds/#=a@c,beds=a@d", [["c", "d"]]),
        ("beds/+/x=a@c,beds/7/+=a@d,scales/#=a@e", [["c", "d"], ["e"]]),
        ("a/+=a@c,b/+=a@d,+/x=a@e", [["c", "d", "e"]]),
        ("a/b=a@c,a/b/c=a@d,a=a@e", [["c"], ["d"], ["e"]]),
    ],
)
def test_rows_that_have_a_topic_in_common_keep_together_in_their_order(rows: str, expected: list[list[str]]) -> None:
    assert parts(rows) == expected


LEVELS = st.lists(st.sampled_from(["a", "b", "+", "{device}"]), min_size=1, max_size=3)
FILTERS = st.builds(
    lambda levels, rest: "/".join([*levels, *(["#"] if rest and levels.count("{device}") < 2 else [])]), LEVELS, st.booleans()
)


@given(st.lists(FILTERS, min_size=1, max_size=5), st.lists(st.sampled_from("ab"), min_size=1, max_size=4))
def test_a_message_is_one_parts_alone_and_its_row_the_same_as_among_all(filters: list[str], levels: list[str]) -> None:
    rows = tuple(parse_row(f"{one}=a@c{place}") for place, one in enumerate(filters) if one.count("{device}") < 2)
    if not rows:
        return
    topic = "/".join(levels)
    found = [addressed for part in apart(rows) if (addressed := address(topic, part)) is not None]
    assert found == [one for one in [address(topic, rows)] if one is not None]


def test_a_session_is_named_by_its_topics_whoever_takes_them_in() -> None:
    """What waits at the broker is then found by the client that takes the place of another one."""
    named = {session_of("hub", (parse_row(row),)) for row in ("beds/{device}=a@c", "beds/+=b@d;timeZone=Europe/Paris")}
    assert len(named) == 1
    assert named.isdisjoint({session_of("hub", (parse_row("beds/{device}/#=a@c"),))})
