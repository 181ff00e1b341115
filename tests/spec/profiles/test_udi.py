"""A UDI as printed -> device identifier and production identifiers.

FDA, "UDI formats by FDA-Accredited Issuing Agency" 1.3; issuers: https://hl7.org/fhir/R4/device-definitions.html#Device.udiCarrier.issuer
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.udi import GS1, HIBC_ALPHABET, HIBCC, ICCBBA, BadUdi, Udi, parse_identifier, parse_udi

GS1_EXAMPLE = "(01)51022222233336(11)141231(17)150707(10)A213B1(21)1234"
ICCBBA_EXAMPLE = "=/A9999XYZ100T0944=,000025=A99971312345600=>014032=}013032&,1000000000000XYZ123"
HIBC_BODY = "+H123PARTNO1234567890120/$$420020216LOT123456789012345/SXYZ456789012345678/16D20130202"


def hibc(body: str) -> str:
    return body + HIBC_ALPHABET[sum(HIBC_ALPHABET.index(one) for one in body) % 43]


def test_gs1_by_its_application_identifiers() -> None:
    """FDA's own example."""
    found = parse_udi(GS1_EXAMPLE)
    assert found == Udi(
        issuer=GS1, identifier="51022222233336", carrier=GS1_EXAMPLE, lot="A213B1", serial="1234", made="2014-12-31", expires="2015-07-07"
    )


def test_hibcc_with_date_lot_serial_number_and_day_of_making() -> None:
    """FDA's own example, with the check character that ANSI/HIBC 2.5 gives it."""
    found = parse_udi(hibc(HIBC_BODY))
    assert (found.issuer, found.identifier) == (HIBCC, "H123PARTNO1234567890120")
    assert (found.expires, found.lot, found.serial, found.made) == ("2020-02-02", "LOT123456789012345", "XYZ456789012345678", "2013-02-02")


@pytest.mark.parametrize(
    ("part", "expires", "lot", "serial"),
    [
        ("$LOT1", None, "LOT1", None),
        ("$+SER1", None, None, "SER1"),
        ("$$7LOT1", None, "LOT1", None),
        ("$$+7SER1", None, None, "SER1"),
        ("$$0928LOT1", "2028-09", "LOT1", None),
        ("$$2092728LOT1", "2028-09-27", "LOT1", None),
        ("$$3280927LOT1", "2028-09-27", "LOT1", None),
        ("$$528271LOT1", "2028-09-27", "LOT1", None),
        ("$$62827113LOT1", "2028-09-27", "LOT1", None),
        ("$$+3280927SER1", "2028-09-27", None, "SER1"),
        ("14D20280927", "2028-09-27", None, None),
    ],
)
def test_hibcc_says_by_a_digit_how_its_date_is_written(part: str, expires: str | None, lot: str | None, serial: str | None) -> None:
    found = parse_udi(hibc(f"+A123BJC5D6E71/{part}"))
    assert (found.identifier, found.expires, found.lot, found.serial) == ("A123BJC5D6E71", expires, lot, serial)


def test_iccbba_with_days_of_the_year() -> None:
    """FDA's own example."""
    found = parse_udi(ICCBBA_EXAMPLE)
    assert (found.issuer, found.identifier, found.serial, found.donation) == (ICCBBA, "A9999XYZ100T0944", "000025", "A99971312345600")
    assert (found.expires, found.made, found.lot) == ("2014-02-01", "2013-02-01", "000000000000XYZ123")


def test_a_day_of_zero_says_only_the_month() -> None:
    """GS1 General Specifications 3.4.7: an expiry without day is that of the month."""
    assert parse_udi("(01)51022222233336(17)280900").expires == "2028-09"


def test_a_device_identifier_alone_is_that_of_a_product() -> None:
    assert parse_identifier("51022222233336").issuer == GS1
    assert parse_identifier(hibc("+A123BJC5D6E71")).identifier == "A123BJC5D6E71"
    assert parse_identifier("=/A9999XYZ100T0944").issuer == ICCBBA


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "begins with"),
        ("51022222233336", "begins with"),
        ("(01)51022222233337", "last digit"),
        ("(01)5102222223333", "14 digits"),
        ("(21)1234(01)51022222233336", "begins with .01."),
        ("(01)51022222233336(99)x", "no part"),
        ("(01)51022222233336(17)281340", "no date"),
        ("(01)51022222233336(17)2809", "six digits"),
        ("(01)51022222233336(21)1(21)2", "twice"),
        ("(01)51022222233336(10)" + "A" * 21, "20 characters"),
        ("(01)51022222233336(21)(1)", "parentheses"),
        (HIBC_BODY + "C", "last character"),
        (hibc("+A123BJC5D6E71/Q1"), "none of"),
        (hibc("+A123BJC5D6E71/$$09"), "too short"),
        (hibc("+A123BJC5D6E71/$$1328L"), "no date"),
        ("=/A9999XYZ100T0944=>014400", "no date"),
        ("=/SHORT", "16 characters"),
        ("(01)" + "0" * 300, "at most"),
    ],
)
def test_what_is_no_udi_is_refused_with_the_place(text: str, told: str) -> None:
    with pytest.raises(BadUdi, match=told):
        parse_udi(text)


@given(st.text(alphabet="()+=/$,&>}0123456789ABS", max_size=40) | st.text(max_size=40))
def test_whatever_comes_is_a_udi_or_refused(text: str) -> None:
    for start in ("", "(01)51022222233336", "+", "=/A9999XYZ100T0944"):
        try:
            parse_udi(start + text)
        except BadUdi:
            continue


@pytest.mark.parametrize("place", range(4, 18))
def test_one_wrong_digit_of_a_gtin_is_noticed(place: int) -> None:
    text = f"(01){'51022222233336'}"
    wrong = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
    with pytest.raises(BadUdi, match="last digit"):
        parse_udi(wrong)
