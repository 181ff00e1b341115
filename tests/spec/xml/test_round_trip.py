"""JSON -> XML -> JSON loses nothing. https://hl7.org/fhir/R4/xml.html"""

from typing import Any

import pytest
from hypothesis import given, settings

from fhir_profiles import r4
from fhir_profiles.definitions import RESOURCE_TYPES
from fhir_profiles.xml import from_xml, to_xml
from hub import numbers
from tests.spec.profiles.resources import RESOURCES
from tests.support.generated import resource, resources, seeded


def through_xml(content: dict[str, Any], *, pretty: bool = False) -> dict[str, Any]:
    return from_xml(to_xml(content, pretty=pretty), decimal=numbers.number)


def sorted_json(content: Any) -> Any:
    """Names in one order: JSON gives them none, XML does. Numbers as they are written: 116.0 is not 116.00."""
    if isinstance(content, dict):
        return {name: sorted_json(content[name]) for name in sorted(content)}
    if isinstance(content, list):
        return [sorted_json(item) for item in content]
    return numbers.dumps(content)


@pytest.mark.parametrize("type", sorted(RESOURCE_TYPES))
def test_a_resource_of_any_type_comes_back_as_it_was(type: str) -> None:
    """https://hl7.org/fhir/R4/formats.html: both formats say the same, so a server may change between them."""
    for seed in range(3):
        content = resource(type, seeded(type, seed))
        assert sorted_json(through_xml(content, pretty=seed == 1)) == sorted_json(content)


@settings(max_examples=60, deadline=None)
@given(content=resources(fullness=0.4))
def test_whatever_is_a_resource_comes_back_as_it_was(content: dict[str, Any]) -> None:
    assert r4.check(content) == ()
    assert sorted_json(through_xml(content)) == sorted_json(content)


@pytest.mark.parametrize("content", RESOURCES, ids=lambda content: content["resourceType"])
def test_a_full_resource_comes_back_as_it_was(content: dict[str, Any]) -> None:
    assert through_xml(content) == content


@pytest.mark.parametrize(
    "written", ["116.0", "74.10", "-0.0", "0.000000000000000001", "1.23E-5", "1e3", "100", "999999999999999999", "3.14"]
)
def test_the_digits_of_a_decimal_stay(written: str) -> None:
    """https://hl7.org/fhir/R4/datatypes.html#decimal: the precision of a decimal is part of its meaning."""
    body = b'{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":%s}}' % written.encode()
    content = numbers.loads(body)
    xml = to_xml(content)
    assert f'<valueQuantity><value value="{written}"/></valueQuantity>'.encode() in xml
    assert numbers.dumps(from_xml(xml, decimal=numbers.number)) == body


def test_text_survives_what_xml_does_to_white_space() -> None:
    """https://www.w3.org/TR/xml/#AVNormalize: a line break that is not written as a character reference would become a blank."""
    text = " a\nb\tc\r\nd  \"e\" 'f' <g> &h; ]]> \u00a0é𝄞 "
    content = {"resourceType": "Organization", "name": text}
    assert through_xml(content) == content
    assert through_xml(content, pretty=True) == content


@pytest.mark.parametrize(
    "div",
    [
        '<div xmlns="http://www.w3.org/1999/xhtml">a &amp; b &lt; c &#160; <br/><br />"quoted"</div>',
        "<div xmlns='http://www.w3.org/1999/xhtml' id=\"a\"><p\n class='x'>é\n <!-- said --></p><img src=\"a.png\" alt='&quot;'/></div>",
    ],
)
def test_a_narrative_keeps_its_bytes(div: str) -> None:
    """https://hl7.org/fhir/R4/xml.html#xhtml"""
    content = {"resourceType": "Basic", "text": {"status": "generated", "div": div}, "code": {"text": "x"}}
    assert div.encode() in to_xml(content)
    assert through_xml(content) == content
    assert through_xml(content, pretty=True) == content


def test_a_narrative_that_is_no_xml_is_written_so_that_it_is() -> None:
    """https://hl7.org/fhir/R4/narrative.html: XML knows no `&nbsp;`, which JSON may carry."""
    div = '<div xmlns="http://www.w3.org/1999/xhtml">a&nbsp;b &eacute; <p title="&lt;x">c</p></div>'
    content = {"resourceType": "Basic", "text": {"status": "generated", "div": div}, "code": {"text": "x"}}
    assert through_xml(content)["text"]["div"] == '<div xmlns="http://www.w3.org/1999/xhtml">a\u00a0b é <p title="&lt;x">c</p></div>'


def test_a_value_without_extension_and_an_extension_without_value_keep_their_places() -> None:
    """https://hl7.org/fhir/R4/json.html#primitive: null holds the place in both lists."""
    given = {"extension": [{"url": "http://example.org/e", "valueString": "x"}]}
    content = {"resourceType": "Patient", "name": [{"given": [None, "b", "c"], "_given": [given, None, {"id": "i"}]}]}
    assert b'<given value="b"/><given value="c" id="i"/></name>' in to_xml(content)
    assert through_xml(content) == content
    absent = {"resourceType": "Patient", "name": [{"_given": [given]}], "_birthDate": given}
    assert through_xml(absent) == absent


def test_what_xml_has_no_character_for_is_replaced() -> None:
    """https://www.w3.org/TR/xml/#charsets"""
    assert through_xml({"resourceType": "Organization", "name": "a\uffffb"})["name"] == "a\ufffdb"
