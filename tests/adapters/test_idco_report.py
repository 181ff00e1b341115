"""The report in an IDCO message: an OBX of type ED with a PDF. HL7 v2.6 section 2.A.24; DEVICES 1.4 and 2.9; synthetic messages."""

import base64
from typing import Any

import pytest

from adapters.idco import adapter
from adapters.idco.simulate import one_page, report
from adapters.reading import Document, Reading, Rejected
from hub.ingest.weighed import content_of

NAMED = one_page("Interrogation of Ada Lovelace")
HEAD = (
    r"MSH|^~\&|MAKER|CLINIC|HUB|HDS|20260301101502+0100||ORU^R01^ORU_R01|R-1|P|2.6|||AL|NE||UNICODE UTF-8",
    "PID|1||IPP-4711^^^CHU^PI~MODEL:D284DRG/SERIAL:PZC600368S^^^MDT^U||Lovelace^Ada",
    "OBR|1||S-77|754050^MDC_IDC_ENUM_SESS_TYPE_InClinic^MDC|||20260301093000",
)


def decoded(*rows: str) -> list[Any]:
    return list(adapter.decode("\r".join((*HEAD, *rows)).encode()))


def obx(value: str, *, code: str = "18750-0^Cardiac Electrophysiology Report^LN", type: str = "ED", status: str = "F") -> str:
    return f"OBX|1|{type}|{code}|1|{value}||||||{status}"


def data(content: bytes) -> str:
    return base64.b64encode(content).decode()


def refusal(row: str) -> Rejected:
    (item,) = decoded(row)
    assert isinstance(item, Rejected)
    return item


def test_the_report_is_a_document_that_begins_where_its_pdf_does() -> None:
    """As bytes, unread; what stands before it in `raw` says which implant's it is and when."""
    (item,) = decoded(report(NAMED))
    assert (item.measure, item.device, item.source_id) == ("cied-report", "MDT/MODEL:D284DRG/SERIAL:PZC600368S", "1")
    assert item.time.text == "20260301093000+0100"
    assert item.value == Document(media_type="application/pdf", start=item.raw.index(b"%PDF-"))
    assert content_of(item)[:] == NAMED


def test_whoever_the_report_names_is_named_nowhere_but_in_it() -> None:
    """Law 4: neither the words of the message beside the PDF nor the name of its file are kept."""
    (item,) = decoded(report(NAMED).replace("^LN|", "^LN^^ada-lovelace.pdf|").replace("|^App", "|Lovelace Export^App"))
    before = item.raw[: item.value.start]
    assert b"Ada Lovelace" in item.raw
    assert not any(word in before.lower() for word in (b"lovelace", b"ada", b"ipp-4711", b"export"))


def test_a_report_that_was_kept_is_read_again_as_it_was() -> None:
    """Replay and re-derivation rest on it."""
    for item in decoded(report(NAMED), report(one_page("Second"), 2), report(one_page("Third"), 3, "")):
        assert [replaced_place(one) for one in adapter.decode(item.raw)] == [replaced_place(item)]


def replaced_place(item: Reading) -> tuple[Any, ...]:
    return item.measure, item.device, item.time, item.value, item.source_id, item.raw


def test_several_reports_of_one_session_are_several_reports() -> None:
    """OBX-4 tells them apart, and where it does not their order does."""
    found = decoded(report(NAMED, 1, "1"), report(NAMED, 2, "1"), report(NAMED, 3, "2"), report(NAMED, 4, ""), report(NAMED, 5, ""))
    assert [item.source_id for item in found] == ["1", "1 #2", "2", None, "#2"]


@pytest.mark.parametrize(
    "form",
    [
        "^Application^PDF^Base64^",
        "Maker^application^pdf^base64^",
        "^AP^PDF^Base64^",
        "Application^PDF^^Base64^",
        "^application/pdf^^Base64^",
        "^^PDF^Base64^",
    ],
)
def test_a_pdf_is_known_in_each_form_in_which_makers_write_it(form: str) -> None:
    """HL7 tables 0191, 0291 and 0299; the fourth is a published message with ED.1 left out."""
    (item,) = decoded(obx(form + data(NAMED)))
    assert content_of(item)[:] == NAMED


def test_base64_may_come_in_lines() -> None:
    """RFC 2045 section 6.8, with line ends written as escapes (HL7 v2.6 section 2.7)."""
    for end in ("\\.br\\", "\\X0D0A\\"):
        text = end.join(data(NAMED)[start : start + 76] for start in range(0, len(data(NAMED)), 76))
        (item,) = decoded(obx(f"^Application^PDF^Base64^{text}"))
        assert content_of(item)[:] == NAMED


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (obx("^Application^PDF^Base64^" + data(b"PK\x03\x04")), "document-not-pdf"),
        (obx("^Image^JPEG^Base64^" + data(NAMED)), "document-type"),
        (obx("^Application^PDF^Hex^" + NAMED.hex()), "document-type"),
        (obx("^Application^PDF^Base64^"), "document-missing"),
        (obx("^Application^PDF^Base64^" + data(NAMED)[:-1]), "document-not-base64"),
        (obx("^Application^PDF^Base64^" + "A" * 5), "document-not-base64"),
        (obx(f"^Application^PDF^Base64^{data(NAMED)}~^Application^PDF^Base64^{data(NAMED)}"), "value-repeated"),
        (obx("^Application^PDF^Base64^" + data(NAMED), code="18842-5^Discharge summary^LN"), "unknown-document"),
        (obx("^Application^PDF^Base64^" + data(NAMED), code="18750-0^Cardiac Electrophysiology Report^L"), "unknown-document"),
        (obx("https://maker.example/1^Maker^Application^PDF", type="RP"), "document-not-read"),
        (obx("^Application^PDF^Base64^" + data(NAMED), status="W"), "result-withdrawn"),
    ],
)
def test_what_is_no_report_in_pdf_is_refused_and_nothing_of_it_is_kept(row: str, code: str) -> None:
    item = refusal(row)
    assert (item.code, item.keep, item.pointer) == (code, False, "row 4")
    assert len(item.raw) < 300
    assert b"JVBERi" not in item.raw


@pytest.mark.parametrize("wrong", ["!", "^", "é", "-"])
def test_a_character_that_is_none_of_base64_is_named_by_its_place(wrong: str) -> None:
    """By its place and not by what it is: the hint may be logged."""
    text = data(NAMED)
    item = refusal(obx(f"^Application^PDF^Base64^{text[:16]}{wrong}{text[16:]}"))
    assert (item.code, item.keep) == ("document-not-base64", False)
    assert "Character 17 of ED.5" in item.hint


def test_a_report_that_nobody_has_signed_is_preliminary() -> None:
    """OBX-11, HL7 table 0085."""
    (item,) = decoded(report(NAMED).removesuffix("F") + "P")
    assert item.preliminary


def test_a_line_that_begins_as_a_pdf_does_is_no_report_of_a_message_with_results() -> None:
    """Only what a kept report looks like is read as one: one result, an ED without data."""
    rate = "OBX|1|NM|721344^MDC_IDC_MSMT_BATTERY_VOLTAGE^MDC|1|3.02|V|||||F"
    found = decoded(rate, "%PDF-1.4", report(NAMED, 2))
    assert [item.measure for item in found if isinstance(item, Reading)] == ["cied-battery-voltage", "cied-report"]
    assert [item.code for item in found if isinstance(item, Rejected)] == ["segment-unreadable"]


def test_a_message_with_other_delimiters_is_kept_with_them() -> None:
    """MSH-1 and MSH-2 decide."""
    text = "\r".join((*HEAD, report(NAMED))).replace("^", "$")
    (item,) = adapter.decode(text.encode())
    (again,) = adapter.decode(item.raw)
    assert (again.device, again.raw) == (item.device, item.raw)
