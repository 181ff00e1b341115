"""Acknowledgements: both modes, ERR, character sets. HL7 v2.6 sections 2.9.2 and 2.14, tables 0008, 0155, 0357; DEVICES 2.9."""

import pytest

from hub.ingest.fates import Answer, Fate
from hub.ingest.mllp.acknowledge import Asked, Trouble, Verdict, acknowledgements, asked_of, verdict_of
from tests.support.mllp import fields, message, rate

NOW_US = 1_772_355_302_000_000
OK = Verdict(accept="A", application="A")
FAILED = Verdict(accept="A", application="E")
REJECTED = Verdict(accept="R", application="R")


def asked(text: str | bytes) -> Asked:
    found = asked_of(text if isinstance(text, bytes) else text.encode())
    assert found is not None
    return found


def written(of: Asked, verdict: Verdict) -> list[list[str]]:
    return [one.decode().rstrip("\r").split("\r") for one in acknowledgements(of, verdict, ids=("one", "two"), now_us=NOW_US)]


def codes(mode: str, verdict: Verdict) -> list[str]:
    return [fields(segments[1])[1] for segments in written(asked(message("7", mode=mode)), verdict)]


@pytest.mark.parametrize(
    ("mode", "ok", "failed", "rejected"),
    [
        ("|", ["AA"], ["AE"], ["AR"]),
        ("AL|NE", ["CA"], ["CA"], ["CR"]),
        ("NE|AL", ["AA"], ["AE"], []),
        ("AL|AL", ["CA", "AA"], ["CA", "AE"], ["CR"]),
        ("NE|NE", [], [], []),
        ("ER|NE", [], [], ["CR"]),
        ("SU|NE", ["CA"], ["CA"], []),
        ("AL|ER", ["CA"], ["CA", "AE"], ["CR"]),
        ("|AL", ["AA"], ["AE"], []),
    ],
)
def test_what_is_acknowledged_is_what_msh_15_and_16_ask_for(mode: str, ok: list[str], failed: list[str], rejected: list[str]) -> None:
    """Table 0155. Without either it is the original mode. What was not accepted is never acknowledged by the application."""
    assert (codes(mode, OK), codes(mode, FAILED), codes(mode, REJECTED)) == (ok, failed, rejected)


def test_an_acknowledgement_goes_back_to_the_sender_under_his_control_id() -> None:
    ((msh, msa),) = written(asked(message("MSG-7")), OK)
    head = fields(msh)
    assert (head[2:6], head[8], head[9], head[11]) == (["HUB", "HDS", "GW", "ICU"], "ACK^R01^ACK", "one", "2.6")
    assert head[6] == "20260301085502+0000"
    assert fields(msa) == ["MSA", "AA", "MSG-7"]


def answer(fate: Fate, pointer: str = "row 5", code: str | None = None) -> Answer:
    return Answer(fate=fate, pointer=pointer, code=code, hint="mend a|b")


def test_each_item_in_doubt_is_an_err_that_says_where() -> None:
    """ERR-2 segment and number, ERR-3 table 0357, ERR-4 severity, ERR-5 our code, ERR-8 what to do, escaped."""
    of = asked(message("7", rate(), rate()))
    verdict = verdict_of(
        of, [answer("stored"), answer("quarantined", "row 6", "device-not-paired"), answer("refused", "row 5", "value-type")]
    )
    ((_, msa, first, second),) = written(of, verdict)
    assert fields(msa)[1] == "AA"
    assert fields(first) == ["ERR", "", "OBX^3", "204^Unknown key identifier^HL70357", "W", "device-not-paired^^L", "", "", "mend a\\F\\b"]
    assert (fields(second)[2], fields(second)[3].partition("^")[0]) == ("OBX^2", "102")


@pytest.mark.parametrize(
    ("fates", "application"),
    [
        (["stored", "refused"], "A"),
        (["duplicate"], "A"),
        (["quarantined", "refused"], "A"),
        (["refused", "refused"], "E"),
        ([], "A"),
    ],
)
def test_a_message_is_in_error_only_if_nothing_of_it_is_kept(fates: list[Fate], application: str) -> None:
    assert verdict_of(asked(message("7")), [answer(fate) for fate in fates]).application == application


def test_stored_and_duplicate_are_answered_alike() -> None:
    """A message that comes again is answered as before."""
    of = asked(message("7"))
    assert verdict_of(of, [answer("stored")]) == verdict_of(of, [answer("duplicate")])


def test_the_character_set_of_the_message_is_that_of_its_answer() -> None:
    text = message("7", application="Réa").replace("UNICODE UTF-8", "8859/1")
    of = asked(text.encode("latin-1"))
    assert (of.application, acknowledgements(of, OK, ids=("1", "2"), now_us=NOW_US)[0].decode("latin-1").count("Réa")) == ("Réa", 1)


def test_a_header_is_answered_even_if_the_message_cannot_be_read() -> None:
    of = asked(message("7").replace("UNICODE UTF-8", "ISO IR87"))
    verdict = Verdict(accept="R", application="R", troubles=[Trouble(code="structure", hint="no")])
    assert fields(written(of, verdict)[0][1]) == ["MSA", "AR", "7"]


@pytest.mark.parametrize("frame", [b"", b"PID|1", b"\x00\xff", b"{}"])
def test_what_has_no_header_cannot_be_answered(frame: bytes) -> None:
    assert asked_of(frame) is None
