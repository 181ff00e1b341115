"""JSON within limits: nothing a sender can write exhausts the process or ends up in an error text."""

import json

import pytest

from adapters import json_payload
from adapters.contract import Unreadable
from adapters.limits import DEPTH_MAX, PAYLOAD_BYTES_MAX, RAW_BYTES_MAX


def refusal(payload: bytes) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        json_payload.load(payload)
    return caught.value


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


@pytest.mark.parametrize("payload", [b"", b" \n\t "])
def test_an_empty_payload_is_said_to_be_empty(payload: bytes) -> None:
    assert refusal(payload).code == "empty"


@pytest.mark.parametrize("payload", [b"NaN", b"[Infinity]", b"[-Infinity]", b"{'a': 1}", b"[1,]", b'"\xff"', b'{"a": 1} x', b'"\\ud800"'])
def test_what_is_not_json_is_refused(payload: bytes) -> None:
    """RFC 8259: UTF-8, no NaN, no Infinity."""
    assert refusal(payload).code == "not-json"


def test_an_error_carries_nothing_of_the_payload() -> None:
    """Nothing that identifies a person may reach a log: neither text nor a chained exception that holds the document."""
    error = refusal(b'{"name": "Ada Lovelace"')
    assert "Ada" not in str(error)
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_byte_order_mark_is_ignored() -> None:
    assert json_payload.load(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_nesting_up_to_the_limit_is_read() -> None:
    assert json_payload.load(nested(DEPTH_MAX))


@pytest.mark.parametrize("levels", [DEPTH_MAX + 1, 900])
def test_deeper_nesting_is_refused(levels: int) -> None:
    assert refusal(nested(levels)).code == "too-deep"


def test_nesting_that_the_parser_itself_gives_up_on_is_refused() -> None:
    assert refusal(nested(100_000)).code == "not-json"


def test_depth_counts_through_objects_and_arrays_alike() -> None:
    assert refusal(b'{"a":[' * DEPTH_MAX + b"1" + b"]}" * DEPTH_MAX).code == "too-deep"


def test_a_payload_beyond_the_limit_is_refused_before_it_is_parsed() -> None:
    error = refusal(b"[" + b" " * PAYLOAD_BYTES_MAX + b"]")
    assert (error.code, str(PAYLOAD_BYTES_MAX) in str(error)) == ("payload-too-large", True)


def test_flattening_empties_what_is_nested() -> None:
    assert json_payload.flat({"a": 1, "b": {"c": 2}, "d": [3], "e": None}) == {"a": 1, "b": {}, "d": [], "e": None}


def test_an_excerpt_is_bounded() -> None:
    assert len(json_payload.excerpt(["x" * 2 * RAW_BYTES_MAX])) == RAW_BYTES_MAX
    assert json.loads(json_payload.excerpt({"a": 1})) == {"a": 1}


@pytest.mark.parametrize("number", ["5.50", "116.0", "0.1", "-0.10", "1.5e3", "123456789012345678901234567890"])
def test_a_number_is_kept_as_it_was_written(number: str) -> None:
    """RFC 8259, 6; 5.50 was measured to a hundredth."""
    value = json_payload.load_exact(f'{{"value": {number}}}'.encode())
    assert value == {"value": json_payload.Number(number)}
    assert json_payload.dumps(value) == f'{{"value":{number}}}'.encode()


def test_short_integers_stay_integers() -> None:
    assert json_payload.load_exact(b"[0, -3, 1700000000]") == [0, -3, 1_700_000_000]


@pytest.mark.parametrize("payload", [b"[" * 100_000, b"NaN", b'"\\ud800"', b"[" + b"9" * 5000 + b"x]", nested(DEPTH_MAX + 1)])
def test_exact_reading_keeps_the_same_limits(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        json_payload.load_exact(payload)


def test_a_number_beyond_every_double_is_refused() -> None:
    """Python would not turn more than 4,300 digits into an integer."""
    with pytest.raises(Unreadable):
        json_payload.load_exact(b"[" + b"9" * 5000 + b", 1]")
