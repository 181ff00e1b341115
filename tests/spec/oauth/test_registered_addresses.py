"""Addresses that may be registered. RFC 6749 section 3.1.2, RFC 8252 section 7, RFC 9700 section 2.1, RFC 6454."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from security.oauth.addresses import URI_MAX_CHARS, origin, origin_of, redirect_uri, web_url

GOOD = (
    "https://app.example.org/back",
    "https://app.example.org",
    "https://app.example.org:8443/back?tenant=a%20b",
    "https://xn--caf-dma.example.org/back",
    "https://192.0.2.7/back",
    "https://[2001:db8::7]/back",
    "http://127.0.0.1:49152/back",
    "http://[::1]:1/",
    "http://localhost/back",
    "com.example.app:/back",
    "com.example.app://back/here",
    "org.example-health.app2:/",
)
TRICKS = (
    "https://good.example@evil.example/back",
    "https://good.example%40evil.example/back",
    "https://good.example:pass@evil.example/",
    "https://good.example\\@evil.example/back",
    "https://good.example\\.evil.example/back",
    "https://good.example/\\evil.example",
    "https:good.example/back",
    "https:/good.example/back",
    "https:///good.example/back",
    "https://",
    "https://?back",
    "//good.example/back",
    "good.example/back",
    "/back",
    "",
    "HTTPS://good.example/back",
    "https://Good.example/back",
    "https://good.example./back",
    "https://good..example/back",
    "https://.good.example/back",
    "https://-good.example/back",
    "https://good_.example/back",
    "https://gооd.example/back",
    "https://good。example/back",
    "https://good.example\u200b/back",
    "https://good.example/caf\u00e9",
    "https://good.example/back#",
    "https://good.example/back#part",
    "https://*.good.example/back",
    "https://good.example/*",
    "https://good.example/a/../back",
    "https://good.example/./back",
    "https://good.example/%2e%2e/back",
    "https://good.example/%2E./back",
    "https://good.example/..%2fback",
    "https://good.example/a%5cback",
    "https://good.example/%252e%252e/back",
    "https://good.example/%00back",
    "https://good.example/%0d%0aSet-Cookie:x",
    "https://good.example/ba ck",
    "https://good.example/ba\tck",
    "https://good.example/back\n",
    "https://good.example/%zz",
    "https://good.example/[back]",
    "https://good.example:0/back",
    "https://good.example:080/back",
    "https://good.example:65536/back",
    "https://good.example:99999999999999999999/back",
    "https://good.example:/back",
    "https://good.example:80:80/back",
    "https://good.example:8o/back",
    "https://good.example:٨٠/back",
    "https://2130706433/back",
    "https://0x7f.1/back",
    "https://127.1/back",
    "https://127.0.0.01/back",
    "https://0x7f000001/back",
    "https://[::ffff:127.0.0.1]/back",
    "https://[0:0:0:0:0:0:0:1]/back",
    "https://[::1%25eth0]/back",
    "https://[::1/back",
    "http://good.example/back",
    "http://127.0.0.2/back",
    "http://127.0.0.1.evil.example/back",
    "http://localhost.evil.example/back",
    "http://127.0.0.1@evil.example/back",
    "https://good.example/back?code=1",
    "https://good.example/back?a=1&STATE=2",
    "https://good.example/back?iss=x",
    "javascript:alert(1)",
    "javascript://good.example/%0aalert(1)",
    "data:text/html,hello",
    "vbscript:x",
    "blob:https://good.example/1",
    "file:///etc/passwd",
    "about:blank",
    "ftp://good.example/back",
    "myapp:/back",
    "myapp://back",
    "com.example.app:back",
    "com.example.app:",
    "com..app:/back",
    "Com.example.app:/back",
    "com.example.app://user@evil.example/back",
    "com.example.app:/../back",
    "urn:ietf:wg:oauth:2.0:oob",
    "https://good.example/" + "a" * URI_MAX_CHARS,
)


@pytest.mark.parametrize("uri", GOOD)
def test_a_redirect_uri_is_https_or_of_this_machine_or_of_an_app_by_its_domain(uri: str) -> None:
    """RFC 6749 section 3.1.2, RFC 8252 sections 7.1 to 7.3. It stays as it was written, for it is compared as text."""
    assert redirect_uri(uri) == uri


@pytest.mark.parametrize("uri", TRICKS)
def test_what_two_programs_could_read_in_two_ways_is_refused(uri: str) -> None:
    """RFC 9700 section 4.1: what the hub compares and where the browser goes must be the same."""
    with pytest.raises(ValueError):
        redirect_uri(uri)


@pytest.mark.parametrize("uri", ["com.example.app:/back", "https://a.example/#x", "http://a.example/", "https://a.example@b.example/"])
def test_a_page_for_people_and_a_place_of_keys_are_on_the_web(uri: str) -> None:
    """Ours: homepage, policy, launch URL and JWKS URL."""
    with pytest.raises(ValueError):
        web_url(uri)
    assert web_url("https://a.example/policy?code=de") == "https://a.example/policy?code=de"


@pytest.mark.parametrize(
    "text", ["https://a.example/", "https://a.example?x", "https://A.example", "null", "*", "https://a.example:443", "a.example"]
)
def test_an_origin_is_written_as_browsers_write_it(text: str) -> None:
    """RFC 6454 section 6.2: compared as text with what the browser sends."""
    with pytest.raises(ValueError):
        origin(text)
    assert [origin_of(one) for one in GOOD[:3]] == ["https://app.example.org", "https://app.example.org", "https://app.example.org:8443"]
    assert origin("http://localhost:3000") == "http://localhost:3000"


@given(st.text(max_size=60), st.sampled_from(["https://", "http://", "com.example:/", "", "https://a.example/"]))
def test_whatever_is_typed_is_taken_as_it_is_or_refused_with_a_text(text: str, before: str) -> None:
    """No other exception, and no text that repeats what was sent."""
    try:
        taken, told = redirect_uri(before + text), ""
    except ValueError as error:
        taken, told = None, str(error)
    assert taken in (None, before + text)
    assert taken is None or (text.isascii() and "#" not in text)
    assert len(text) < 12 or text not in told
