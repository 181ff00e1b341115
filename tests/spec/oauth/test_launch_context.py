"""What an EHR says of a launch. SMART App Launch 2.2, scopes and launch context."""

import pytest

from security.oauth.clients import Client
from security.oauth.launch_context import ENTRIES_MAX, ENTRY_MAX_LEVELS, banner, fhir_context, intent, resource_id
from tests.support.backstage import new_client


def test_an_entry_names_something_in_one_of_three_ways() -> None:
    """fhirContext: reference, canonical or identifier; type and role besides."""
    text = '[{"reference": "ImagingStudy/1"}, {"canonical": "https://x.example/q"}, {"identifier": {"value": "1"}, "type": "Task"}]'
    assert [set(one) for one in fhir_context(text)] == [{"reference"}, {"canonical"}, {"identifier", "type"}]
    assert fhir_context(None) == ()


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "{}",
        '["Task/1"]',
        "[{}]",
        '[{"type": "Task"}]',
        '[{"reference": ""}]',
        '[{"reference": 1}]',
        '[{"reference": "Task/1", "role": ""}]',
        '[{"reference": "Task/1", "other": "x"}]',
        '[{"identifier": "1"}]',
        f'[{{"reference": "{"x" * 3_000}"}}]',
        "[" + ",".join(['{"reference": "Task/1"}'] * (ENTRIES_MAX + 1)) + "]",
        "[" * 100_000,
        *('[{"identifier": ' + '{"x":' * levels + "1" + "}" * levels + "}]" for levels in (ENTRY_MAX_LEVELS, 250, 900)),
    ],
    ids=lambda text: f"{text[:30]} ({len(text)})",
)
def test_what_is_no_context_is_refused(text: str) -> None:
    """A role that is empty is none; what nobody defined is not passed on to an app."""
    with pytest.raises(ValueError, match="fhirContext"):
        fhir_context(text)


@pytest.mark.parametrize("type", ["Patient", "Encounter"])
@pytest.mark.parametrize(
    "entry", ['{"reference": "T/1"}', '{"reference": "https://x.example/T/1/_history/2"}', '{"identifier": {"value": "1"}, "type": "T"}']
)
def test_patient_and_encounter_stand_there_in_another_role_alone(entry: str, type: str) -> None:
    """They have parameters of their own: an app must not find a second patient where it looks for the one in context."""
    named = entry.replace('T"', f'{type}"').replace("T/", f"{type}/")
    for role in ("", ', "role": "launch"'):
        with pytest.raises(ValueError, match="parameters of their own"):
            fhir_context(f"[{named[:-1]}{role}}}]")
    assert len(fhir_context(f'[{named[:-1]}, "role": "https://roles.example/mother"}}]')) == 1


def test_an_id_comes_with_its_type_or_without() -> None:
    """https://hl7.org/fhir/R4/datatypes.html#id"""
    assert resource_id("Patient/a-1.b", "Patient") == resource_id("a-1.b", "Patient") == "a-1.b"
    for wrong in ("", "Patient/", "Encounter/a", "a/b", "a b", "x" * 65, "a\n"):
        with pytest.raises(ValueError, match="patient is"):
            resource_id(wrong, "Patient")


def test_a_banner_is_asked_for_unless_the_ehr_shows_one() -> None:
    """need_patient_banner."""
    assert (banner(None), banner("true"), banner("false")) == (True, True, False)
    with pytest.raises(ValueError, match="true or false"):
        banner("")


def test_an_intent_is_a_line_of_text() -> None:
    """intent: a string that EHR and app agreed on."""
    assert (intent(None), intent("order-sets")) == (None, "order-sets")
    for wrong in ("", "x" * 201, "a\tb"):
        with pytest.raises(ValueError, match="intent"):
            intent(wrong)


@pytest.mark.parametrize(
    "changed",
    [
        {"authentication": "none", "jwks": None, "grants": ("authorization_code",)},
        {"authentication": "client_secret_basic", "jwks": None, "secret_hash": bytes(32)},
        {"grants": ("authorization_code",)},
    ],
    ids=["public", "secret", "people"],
)
def test_who_opens_launches_is_a_backend_with_a_key(changed: dict[str, object]) -> None:
    """It speaks in the name of practitioners: neither a secret that travels nor an app that people hold may do so."""
    given = new_client("ehr", "system/Patient.rs").client.to_document() | {"launcher": True}
    assert Client.from_document(given).launcher
    with pytest.raises(ValueError, match="a key or a certificate"):
        Client.from_document(given | changed)
