"""Every setting is an environment variable `HUB_*`; all are in docs/settings.md, generated from the class (DESIGN 4)."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from hub.settings import Settings, page

PAGE = Path(__file__).resolve().parents[3] / "docs" / "settings.md"
SECRET = "mongodb://hub:not-to-be-told@host/"


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HUB_{name.upper()}", raising=False)


def test_the_page_is_current() -> None:
    """DESIGN 4: docs/settings.md is generated. To renew it: python -m hub.settings > docs/settings.md"""
    assert PAGE.read_text() == page()


def test_every_setting_is_described_with_its_unit() -> None:
    """STYLE rule 8: units last in the name, and in the page."""
    units = {"_s": "s", "_ms": "ms", "_bytes": "bytes", "_hours": "h", "_days": "days", "_gb": "GB"}
    for name, field in Settings.model_fields.items():
        assert field.description
        wanted = next((unit for ending, unit in units.items() if name.endswith(ending)), None)
        assert isinstance(field.json_schema_extra, dict)
        assert field.json_schema_extra["unit"] == wanted


def test_the_environment_sets_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "8443")
    monkeypatch.setenv("HUB_CORS_ORIGINS", "https://a.example, https://b.example")
    settings = Settings()
    assert settings.port == 8443
    assert settings.cors_origins == ("https://a.example", "https://b.example")


def test_a_flag_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUB_PORT", "8443")
    assert Settings(port=9000).port == 9000


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """`HUB_MONGODB_URL=` in a unit file or a manifest means none, not an empty address."""
    monkeypatch.setenv("HUB_MONGODB_URL", "")
    assert Settings().mongodb_url is None


def test_urls_with_a_password_do_not_show_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 4 and common sense: settings are printed and logged."""
    monkeypatch.setenv("HUB_MONGODB_URL", SECRET)
    monkeypatch.setenv("HUB_KEYS_MONGODB_URL", SECRET)
    settings = Settings()
    assert settings.mongodb_url is not None
    assert settings.mongodb_url.get_secret_value() == SECRET
    assert "not-to-be-told" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"


def test_an_error_does_not_repeat_what_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the log of a failed start learns which variable is wrong and no secret."""
    monkeypatch.setenv("HUB_MONGODB_URL", SECRET)
    monkeypatch.setenv("HUB_PORT", "tcp://10.0.0.1:8000")
    with pytest.raises(ValidationError, match=r"port\n.*valid integer") as error:
        Settings(tls_cert=Path("cert.pem"))
    assert "10.0.0.1" not in str(error.value)
    monkeypatch.setenv("HUB_PORT", "1")
    with pytest.raises(ValidationError, match="HUB_TLS_CERT and HUB_TLS_KEY go together") as error:
        Settings(tls_cert=Path("cert.pem"))
    assert "not-to-be-told" not in str(error.value)


def test_access_tokens_cannot_be_made_to_live_longer_than_five_minutes() -> None:
    """SMART Backend Services: "The expiration time SHALL be no more than five minutes"; no setting turns a law off."""
    assert Settings(access_token_lifetime_s=300).access_token_lifetime_s == 300
    with pytest.raises(ValidationError):
        Settings(access_token_lifetime_s=301)


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"host": "::1", "port": 9}, "http://[::1]:9"),
        ({"tls_cert": Path("c"), "tls_key": Path("k"), "host": "hub"}, "https://hub:8000"),
        ({"base_url": "https://hub.example.org"}, "https://hub.example.org"),
        ({"base_url": "https://hub.example.org:8443"}, "https://hub.example.org:8443"),
    ],
)
def test_the_origin_is_what_clients_use(given: dict[str, object], origin: str) -> None:
    """The audience of tokens and the root of links."""
    assert Settings.model_validate(given).origin == origin


@pytest.mark.parametrize(
    "url", ["hub.example.org", "https://hub.example.org/", "https://hub.example.org/fhir", "https://", "ftp://hub", "https://u:p@hub"]
)
def test_a_base_url_that_is_no_origin_is_refused(url: str) -> None:
    """Paths are the hub's own (DESIGN 4: /fhir, /oauth)."""
    with pytest.raises(ValidationError):
        Settings(base_url=url)


def test_settings_do_not_change_after_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings().port = 1  # type: ignore[misc]
