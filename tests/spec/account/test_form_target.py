"""Where a form of a page may lead. https://www.w3.org/TR/CSP3/#directive-form-action"""

import pytest

from hub.console.pages import form_target


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://app.example/callback?x=1", "https://app.example"),
        ("https://app.example:8443/callback", "https://app.example:8443"),
        ("http://127.0.0.1:4321/", "http://127.0.0.1:4321"),
        ("http://[::1]:4321/done", "http://[::1]:4321"),
        ("org.example.app:/callback", "org.example.app:"),
    ],
)
def test_it_is_the_origin_or_the_scheme_of_an_app(url: str, source: str) -> None:
    """source-expression: a host with its scheme, or a scheme."""
    assert form_target(url) == source


@pytest.mark.parametrize(
    "url",
    [
        "https://app.example;script-src *",
        "https://app.example 'unsafe-inline'/x",
        "https://*.example/",
        "https://user@app.example/",
        "https://app.example,https://other.example/",
        "https:///nowhere",
        "",
        "no address",
    ],
)
def test_what_would_say_something_else_in_a_policy_is_not_named(url: str) -> None:
    """A registration must not widen the policy of the page on which it is judged."""
    assert form_target(url) == ""
