"""What a narrative may contain. https://hl7.org/fhir/R4/narrative.html, constraints txt-1 and txt-2"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_profiles.narrative import XHTML, is_narrative


def div(inner: str) -> str:
    return f'<div xmlns="{XHTML}">{inner}</div>'


@pytest.mark.parametrize(
    "inner",
    [
        "text",
        "<p>a<br/>b</p>",
        "<table><tbody><tr><td colspan='2'>1</td></tr></tbody></table>",
        '<a href="http://example.org/x?y=1">link</a>',
        '<a href="#part">link</a>',
        '<a href="Patient/1">link</a>',
        '<img src="data:image/png;base64,aGVsbG8=" alt="x"/>',
        '<p style="color: #ff0000; font-weight: bold">a</p>',
        '<p lang="fr" xml:lang="fr" dir="ltr" id="a" class="b">é &nbsp; &lt; &#233;</p>',
        "<!-- a word -->text",
    ],
)
def test_formatted_text_is_a_narrative(inner: str) -> None:
    assert is_narrative(div(inner))


@pytest.mark.parametrize(
    "text",
    [
        "text",
        "",
        f'<div xmlns="{XHTML}">a',
        "<div>no namespace</div>",
        f'<p xmlns="{XHTML}">no div</p>',
        div("a") + div("b"),
        div("a") + "b",
        "a" + div("b"),
        div(""),
        div(" <p> </p>"),
        div("<p>a</div></p>"),
        div("<br>a"),
        div("<script>a()</script>"),
        div("<SCRIPT>a()</SCRIPT>"),
        div('<p onclick="a()">b</p>'),
        div('<a href="javascript:a()">b</a>'),
        div('<a href=" javascript:a()">b</a>'),
        div('<a href="\x01javascript:a()">b</a>'),
        div('<a href="java&#10;script:a()">b</a>'),
        div('<a href="vbscript:a">b</a>'),
        div('<a href="data:text/html,a">b</a>'),
        div('<a href="//example.org:80">b</a>'),
        div('<img src="data:image/svg+xml;base64,aGVsbG8="/>'),
        div('<p style="background: url(http://example.org/a)">b</p>'),
        div('<p style="width: expression\\28 a)">b</p>'),
        div("<style>p {}</style>b"),
        div("<form>b</form>"),
        div("<input/>b"),
        div("<iframe>b</iframe>"),
        div("<svg><a>b</a></svg>"),
        div("<object>b</object>"),
        div("<p hidden>b</p>"),
        div("<!--><p onclick='a'>-->b"),
        div("<!-- a -- b -->b"),
        div("<![CDATA[a]]>b"),
        "<!DOCTYPE html>" + div("a"),
        '<?xml version="1.0"?>' + div("a"),
    ],
)
def test_anything_that_acts_or_is_no_single_div_is_not(text: str) -> None:
    assert is_narrative(div("the same with nothing of the kind"))
    assert not is_narrative(text)


@given(inner=st.text(alphabet="<>/\"'= !-[]aps:;&#x10\x00\n"))
def test_any_text_gets_an_answer(inner: str) -> None:
    """The parser never raises, whatever comes in."""
    assert is_narrative(div(inner)) in {True, False}
