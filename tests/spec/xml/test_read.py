"""Reading XML: what is taken, and what is refused, with its place and no value. https://hl7.org/fhir/R4/xml.html"""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles import r4
from fhir_profiles.xml import NotFhirXml, from_xml, to_xml
from hub import numbers
from tests.spec.profiles.resources import PATIENT

FHIR = 'xmlns="http://hl7.org/fhir"'
SECRET = "Jeanne-Planted"


def read(text: str | bytes) -> dict[str, Any]:
    return from_xml(text.encode() if isinstance(text, str) else text, decimal=numbers.number)


def refused(text: str | bytes) -> tuple[str, str, str]:
    with pytest.raises(NotFhirXml) as found:
        read(text)
    problem = found.value.problem
    return problem.code, problem.expression, problem.text


@pytest.mark.parametrize(
    "text",
    [
        f'<Patient {FHIR}><active value="true"/></Patient>',
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Patient {FHIR}>\n  <active value="true"/>\n</Patient>\n',
        f'\ufeff<Patient {FHIR}><active value="true"/></Patient>',
        f'<!-- a --><?target b?><Patient {FHIR}><!-- c --><active value="true"><!-- d --></active><?e f?></Patient><!-- g -->',
        "<f:Patient xmlns:f='http://hl7.org/fhir'><f:active value='true'></f:active></f:Patient>",
        f'<Patient {FHIR} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="x y"><active value="true"/></Patient>',
        f'<Patient {FHIR}><active value="&#116;rue"/></Patient>',
    ],
)
def test_the_same_resource_may_be_written_in_many_ways(text: str) -> None:
    """Comments, instructions, prefixes, a byte order mark and references to characters are matters of XML."""
    assert read(text) == {"resourceType": "Patient", "active": True}


def test_primitives_become_what_json_says() -> None:
    """https://hl7.org/fhir/R4/json.html#primitive"""
    text = (
        f'<Questionnaire {FHIR}><status value="draft"/><experimental value="false"/><item><linkId value="1"/><type value="decimal"/>'
        '<maxLength value="7"/><initial><valueDecimal value="1.50"/></initial></item></Questionnaire>'
    )
    assert numbers.dumps(read(text)) == (
        b'{"resourceType":"Questionnaire","status":"draft","experimental":false,'
        b'"item":[{"linkId":"1","type":"decimal","maxLength":7,"initial":[{"valueDecimal":1.50}]}]}'
    )


@pytest.mark.parametrize(
    ("inside", "expression"),
    [
        ('<active value="yes"/>', "Patient.active"),
        ('<active value="1"/>', "Patient.active"),
        ('<multipleBirthInteger value="one"/>', "Patient.multipleBirth"),
        ('<multipleBirthInteger value="99999999999999999999"/>', "Patient.multipleBirth"),
        ('<birthDate value=""/>', "Patient.birthDate"),
        ("<birthDate/>", "Patient.birthDate"),
        ('<name><given value="a"/><given/></name>', "Patient.name[0].given[1]"),
        ('<extension url="u"><valueDecimal value="1,5"/></extension>', "Patient.extension[0].value"),
        ('<extension url="u"><valueDecimal value="NaN"/></extension>', "Patient.extension[0].value"),
        ('<extension url="u"><valueDecimal value="01"/></extension>', "Patient.extension[0].value"),
        ("<maritalStatus/>", "Patient.maritalStatus"),
        ("<contained/>", "Patient.contained[0]"),
    ],
)
def test_a_wrong_value_is_left_to_the_check_that_json_passes_too(inside: str, expression: str) -> None:
    problems = r4.check(read(f"<Patient {FHIR}>{inside}</Patient>"))
    assert [problem.expression for problem in problems][:1] == [expression]


@pytest.mark.parametrize(
    ("inside", "expression", "part"),
    [
        ('<nickname value="x"/>', "Patient", "R4 has no element nickname here"),
        ('<name><family value="x"/><first value="y"/></name>', "Patient.name[0]", "R4 has no element first here"),
        ('<contact/><contact><name><middle value="x"/></name></contact>', "Patient.contact[1].name", "R4 has no element middle here"),
        ('<value value="x"/>', "Patient", "R4 has no element value here"),
        (f'<{"x" * 65} value="x"/>', "Patient", "no element of FHIR can have"),
        ('<gender value="male"/><gender value="male"/>', "Patient", "gender may be there once"),
        ('<gender val="x"/>', "Patient.gender", "an attribute that R4 does not give it"),
        ('<maritalStatus value="x"/>', "Patient.maritalStatus", "an attribute that R4 does not give it"),
        ('<extension uri="x"/>', "Patient.extension[0]", "an attribute that R4 does not give it"),
        ("<extension><url value='x'/></extension>", "Patient.extension[0]", "R4 has no element url here"),
        (f"<gender>{SECRET}</gender>", "Patient.gender", "values stand in attributes"),
        (SECRET, "Patient", "values stand in attributes"),
        ("<text><status value='empty'/><div>x</div></text>", "Patient.text", "R4 has no element div here"),
        ('<active xmlns="urn:other" value="true"/>', "Patient", "not in the namespace of FHIR"),
        ("<contained><Patient/><Patient/></contained>", "Patient.contained[0]", "one resource here"),
        ("<contained><Unicorn/></contained>", "Patient.contained[0]", "not the name of a resource type of R4"),
        ('<contained><Device id="x"/></contained>', "Patient.contained[0]", "its id is an element"),
        ('<text><div xmlns="http://www.w3.org/1999/xhtml"><x xmlns="urn:x"/></div></text>', "Patient.text", "XHTML only"),
    ],
)
def test_what_cannot_be_said_in_json_is_refused_with_its_place(inside: str, expression: str, part: str) -> None:
    code, place, text = refused(f"<Patient {FHIR}>{inside}</Patient>")
    assert place == expression
    assert part in text
    assert code in {"structure", "not-supported"}
    assert SECRET not in text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("", "not well-formed XML"),
        ("{}", "not well-formed XML"),
        (f"<Patient {FHIR}><active value='true'></Patient>", "not well-formed XML (line 1)"),
        (f"<Patient {FHIR}>\n<name value='a' value='b'/></Patient>", "not well-formed XML (line 2)"),
        (f"<Patient {FHIR}>&nbsp;</Patient>", "not well-formed XML"),
        ("<Patient/>", "not in the namespace of FHIR"),
        (f"<Unicorn {FHIR}/>", "not the name of a resource type of R4"),
        (f"<DomainResource {FHIR}/>", "not the name of a resource type of R4"),
        (f'<Patient {FHIR} id="x"/>', "its id is an element"),
        ('<?xml version="1.0" encoding="ISO-8859-1"?><Patient/>', "UTF-8"),
        (f"<Patient {FHIR}/>".encode("utf-16"), "UTF-8"),
        (f"<Patient {FHIR}>".encode() + b"\xff</Patient>", "not well-formed XML"),
    ],
)
def test_what_is_no_resource_in_xml_is_refused(text: str | bytes, part: str) -> None:
    assert part in refused(text)[2]


@pytest.mark.parametrize(
    "declaration",
    [
        "<!DOCTYPE Patient>",
        '<!DOCTYPE p [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>',
        '<!DOCTYPE p [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE p SYSTEM "http://127.0.0.1:1/evil.dtd">',
        '<!DOCTYPE p [<!ENTITY % a SYSTEM "http://127.0.0.1:1/evil.dtd"> %a;]>',
    ],
)
def test_entities_cannot_be_declared(declaration: str) -> None:
    """No expansion that eats the memory, no file and no address read: a document type is refused as such."""
    code, _, text = refused(f'{declaration}<Patient {FHIR}><gender value="&c;"/></Patient>')
    assert (code, "DOCTYPE" in text) == ("not-supported", True)


def test_depth_is_bounded() -> None:
    """A hostile payload costs no more than a wrong one."""
    assert "deep" in refused(f"<Patient {FHIR}>" + "<extension url='u'>" * 100_000)[2]
    assert "deep" in refused(f"<Bundle {FHIR}>" + "<entry><resource><Bundle>" * 50)[2]


def test_a_huge_attribute_is_a_value_like_any_other() -> None:
    """How long a body may be is the hub's to say, how long a string FHIR's."""
    content = read(f'<Patient {FHIR}><name><family value="{"x" * 2_000_000}"/></name></Patient>')
    assert [problem.expression for problem in r4.check(content)] == ["Patient.name[0].family"]


def test_a_div_that_leans_on_what_surrounds_it_is_written_anew() -> None:
    """https://hl7.org/fhir/R4/xml.html#xhtml: in JSON it has to stand on its own."""
    text = (
        f'<Basic {FHIR} xmlns:h="http://www.w3.org/1999/xhtml"><text><status value="generated"/>'
        '<h:div h:id="a" xml:lang="fr"><h:p class="b&lt;">x &amp; y<h:br/></h:p><!-- z --></h:div></text></Basic>'
    )
    assert read(text)["text"]["div"] == (
        '<div xmlns="http://www.w3.org/1999/xhtml" id="a" xml:lang="fr"><p class="b&lt;">x &amp; y<br/></p></div>'
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with pytest.raises(NotFhirXml):
        read(body)


@given(data=st.data())
def test_a_damaged_document_is_read_or_refused(data: st.DataObject) -> None:
    """Nothing but NotFhirXml comes out, whatever was cut, doubled or changed."""
    body = bytearray(to_xml(PATIENT))
    for _ in range(data.draw(st.integers(1, 3))):
        at, end = sorted(data.draw(st.tuples(*[st.integers(0, len(body))] * 2)))
        body[at:end] = data.draw(st.sampled_from([b"", bytes(body[at:end]) * 2, b"<", b'"', b"/>", b"&", b"<div>", b'<id value="x"/>']))
    try:
        r4.check(read(bytes(body)))
    except NotFhirXml:
        return
