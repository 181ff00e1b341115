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
        '<a href="datatypes.html#CodeableConcept">link</a>',
        '<a href="../a%20b/c?d=1:2#e:f">link</a>',
        '<a href="mailto:a@example.org">link</a>',
        '<img src="data: image/gif;base64,aGVs\nbG8=" alt="x"/>',
        '<img src="#picture"/>',
        '<img src="Binary/1"/>',
        '<img src="urn:uuid:c757873d-ec9a-4326-a141-556f43239520"/>',
        '<p style="background-image: url(data: image/png;base64,aGVsbG8=); color: rgb(1, 2, 3)">a</p>',
        """<p style="font: bold 12px/1.5 'Courier New', monospace !important; background: URL('data:image/png;base64,aGVsbG8=')">a</p>""",
        '<p style="background-image: url(tbl_bck1.png); text-align: var(--ig-left,left)">a</p>',
        '<pre xml:space="preserve"> a </pre>',
        "<address>a</address><bdo dir='rtl'>b</bdo><kbd>c</kbd>",
        "<table bgcolor='#ffffff'><tr><td>a</td></tr></table>",
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
        div('<a href="//example.org">b</a>'),
        div('<a href="/\\example.org">b</a>'),
        div('<a href="&#106;avascript:a()">b</a>'),
        div('<a href="javascript&#58;a()">b</a>'),
        div('<a href="a/javascript:a()">b</a>'),
        div('<a href="data:image/svg+xml;base64,aGVsbG8=">b</a>'),
        div('<img src="http://example.org/a.png"/>'),
        div('<img src="//example.org/a.png"/>'),
        div('<img alt="a"/>'),
        div('<img src="data:text/html;base64,aGVsbG8="/>'),
        div('<img src="data:image/png;base64,aGVsbG8=&quot;onload"/>'),
        div('<p style="background: url(//example.org/a)">b</p>'),
        div('<p style="background: url(//example.org/a.png)">b</p>'),
        div('<p style="background: url(a.svg)">b</p>'),
        div('<p style="behavior: url(a.htc)">b</p>'),
        div('<p style="-moz-binding: url(a.xml#b.png)">b</p>'),
        div('<p style="background: url(javascript:a.png)">b</p>'),
        div('<p style="color: var(--a, url(http://example.org/a))">b</p>'),
        div('<p style="background: url(data:image/svg+xml;base64,aGVsbG8=)">b</p>'),
        div('<p style="background: url(data:text/html;base64,aGVsbG8=)">b</p>'),
        div("<p style=\"background: url('data:image/png;base64,aGVsbG8=') url(http://example.org/a)\">b</p>"),
        div('<p style="width: expression(a)">b</p>'),
        div('<p style="width: expr/**/ession(1)">b</p>'),
        div('<p style="color: rgb(expression(a))">b</p>'),
        div("<p style=\"@import 'http://example.org/a'\">b</p>"),
        div('<p style="background: u\\72l(data:image/png;base64,aGVsbG8=)">b</p>'),
        div('<p style="behavior: url(#default#time2)">b</p>'),
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


@pytest.mark.parametrize("part", ["url(data:image/png;base64,", "rgb(", "a", "'", " ", "url"])
def test_a_long_style_takes_time_linear_to_its_length(part: str) -> None:
    """A hostile narrative costs no more than a long one: nothing in the pattern is tried twice."""
    assert not is_narrative(div(f'<p style="{part * (200_000 // len(part))}(">b</p>'))


@given(inner=st.text(alphabet="<>/\"'= !-[]aps:;&#x10\x00\n"))
def test_any_text_gets_an_answer(inner: str) -> None:
    """The parser never raises, whatever comes in."""
    assert is_narrative(div(inner)) in {True, False}
