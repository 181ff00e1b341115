"""The cookies of pages with forms. https://www.rfc-editor.org/rfc/rfc6265, OWASP ASVS 5.0 3.3."""

import pytest

from hub import desk, linking
from hub.people import open_pages, visit
from security.browser_session import SecretCookie, new_secret

PLAIN, TLS = "http://hub.example:8000", "https://hub.example"
COOKIES = (desk.COOKIE, visit.COOKIE, open_pages.STEP_COOKIE, linking.COOKIE)
every_cookie = pytest.mark.parametrize("cookie", COOKIES, ids=lambda one: one.plain)


@every_cookie
def test_with_tls_its_name_binds_it_to_this_host(cookie: SecretCookie) -> None:
    """RFC 6265bis section 4.1.3.2: `__Host-` asks for Secure, Path=/ and no Domain."""
    name, *attributes = cookie.header(new_secret(), TLS).split("; ")
    assert name.startswith(f"__Host-{cookie.plain}=")
    assert {"Secure", "Path=/", "HttpOnly"} <= set(attributes)
    assert not any(one.startswith("Domain") for one in attributes)


@every_cookie
def test_without_tls_a_browser_still_sends_it(cookie: SecretCookie) -> None:
    """RFC 6265 section 4.1.2.5: Secure would keep it from a hub on one's own machine."""
    assert cookie.name(PLAIN) == cookie.plain
    assert "Secure" not in cookie.header(new_secret(), PLAIN)


def test_no_link_brings_the_session_of_the_console_along() -> None:
    """OWASP ASVS 5.0 3.3.2: Strict, but where an app or a provider leads the browser here by a link."""
    assert {one.plain: one.same_site for one in COOKIES} == {
        "hub-console": "Strict",
        "hub-person": "Lax",
        "hub-person-step": "Lax",
        "hub-link": "Lax",
    }


@every_cookie
def test_what_was_set_is_read_and_nothing_else(cookie: SecretCookie) -> None:
    """Whatever cannot be a secret of ours is none: nobody chooses the value that a form is bound to."""
    secret = new_secret()
    sent = cookie.header(secret, TLS).partition(";")[0]
    assert cookie.of({"cookie": f"another=1; {sent}"}, TLS) == secret
    for brought in ("", "another=1", f"{cookie.plain}={secret}", f"{cookie.name(TLS)}=short", f"{cookie.name(TLS)}=", "a b=c; (=)"):
        assert cookie.of({"cookie": brought}, TLS) is None


@every_cookie
def test_the_empty_value_takes_it_from_the_browser(cookie: SecretCookie) -> None:
    """RFC 6265 section 5.2.2: no age is an end."""
    assert "Max-Age=0" in cookie.header("", PLAIN).split("; ")
    assert "Max-Age=0" not in cookie.header(new_secret(), PLAIN).split("; ")
