"""The guide "Mesures de santé" 3.1.1: its Bundles, and its table of errors. https://interop.esante.gouv.fr/ig/fhir/mesures"""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.ans import adapter
from adapters.ans.mapping import BASES, PROFILES
from adapters.contract import Unreadable
from adapters.kit.rules import faults, parses_alone, place_free
from adapters.reading import Coded, Quantity, Reading
from fhir_profiles.catalogue import MEASURES

FIXTURE = Path(__file__).parent / "fixtures" / "ans" / "mesures.json"
DOCUMENT = json.loads(FIXTURE.read_bytes())
"""One of them has the Observation first."""
SORTED = [one | {"entry": sorted(one["entry"], key=lambda entry: str(entry["request"]["url"]))} for one in DOCUMENT]
WEIGHT, GLUCOSE, INTERSTITIAL, PRESSURE, BMI = DOCUMENT[0], DOCUMENT[7], DOCUMENT[8], DOCUMENT[2], DOCUMENT[15]
LOINC = "http://loinc.org"
Change = Callable[[Any], Any]


def read(*bundles: Any) -> list[Any]:
    return list(adapter.decode(json.dumps(bundles).encode()))


def changed(bundle: Any, *path: Any, to: Any) -> Any:
    """The Bundle with one place changed; None takes it away. The Device stands before the Observation."""
    made = copy.deepcopy(bundle)
    node = made
    for step in path[:-1]:
        node = node[step]
    if to is None:
        del node[path[-1]]
    else:
        node[path[-1]] = to
    return made


def observed(bundle: Any, *path: Any, to: Any) -> Any:
    return changed(bundle, "entry", 1, "resource", *path, to=to)


def only(bundle: Any) -> Any:
    (item,) = read(bundle)
    assert faults(item) == ()
    return item


def test_each_measure_of_the_guide_is_read() -> None:
    readings = [item for item in read(*DOCUMENT) if isinstance(item, Reading)]
    assert {item.measure for item in readings} == set(adapter.manifest.measures)
    assert [(item.value.value, item.value.unit) for item in readings if isinstance(item.value, Quantity)][:2] == [
        ("71.3", "kg"),
        ("168", "cm"),
    ]


def test_digits_stay_as_they_were_written() -> None:
    (first, *_) = adapter.decode(FIXTURE.read_bytes())
    assert isinstance(first, Reading)
    assert first.value == Quantity(value="71.30", unit="kg")


def test_a_device_is_named_by_the_oid_of_its_editor_and_its_id() -> None:
    assert only(WEIGHT).device == "urn:oid:1.2.250.1.999.7|SC-0001"


@pytest.mark.parametrize("profile", PROFILES, ids=lambda row: row.id)
def test_profiles_are_known_in_every_spelling(profile: Any) -> None:
    """Old addresses are still in the field: esante.gouv.fr/ci-sis, Mes… and ENS_…, and http instead of https."""
    alike = [one for one in SORTED if one["entry"][1]["resource"]["meta"]["profile"][0].rsplit("/", 1)[1] in {profile.id, profile.name}]
    for name in (profile.id, profile.name, profile.name.replace("Mes", "ENS_", 1), f"{profile.id}|3.1.1"):
        for base in BASES:
            item = read(observed(alike[0], "meta", "profile", to=[base + name]))[0]
            assert isinstance(item, Reading) or item.code in {"bmi-refused", "glucose-days-missing"}
    assert all(measure in MEASURES for measure in profile.measures)


@pytest.mark.parametrize(
    ("bundle", "code", "pointer"),
    [
        (WEIGHT["entry"][1]["resource"], "no-bundle", "/0"),
        (changed(WEIGHT, "type", to="batch"), "bundle-not-transaction", "/0/type"),
        (changed(WEIGHT, "entry", 1, "request", "method", to="PUT"), "resource-not-supported", "/0/entry/1/resource"),
        (changed(WEIGHT, "entry", 1, "request", "url", to="Patient"), "resource-not-supported", "/0/entry/1/resource"),
        (changed(WEIGHT, "entry", 1, "resource", to={"resourceType": "Patient"}), "resource-not-supported", "/0/entry/1/resource"),
        (changed(WEIGHT, "entry", 0, to=WEIGHT["entry"][1]), "device-creation-missing", "/0/entry"),
        (changed(WEIGHT, "entry", to=[*WEIGHT["entry"], PRESSURE["entry"][0]]), "device-creation-missing", "/0/entry/2/resource"),
        (changed(WEIGHT, "entry", 0, "request", "ifNoneExist", to=None), "device-creation-missing", "/0/entry/0/resource"),
        (
            changed(WEIGHT, "entry", 0, "request", "ifNoneExist", to="identifier=SC-0001"),
            "device-condition-invalid",
            "/0/entry/0/request/ifNoneExist",
        ),
        (
            changed(WEIGHT, "entry", 0, "request", "ifNoneExist", to="identifier=urn:oid:1.2.250.1.999.7|SC-0002"),
            "device-condition-mismatch",
            "/0/entry/0/request/ifNoneExist",
        ),
        (changed(WEIGHT, "entry", to=WEIGHT["entry"][:1]), "observation-creation-missing", "/0/entry"),
        (changed(WEIGHT, "entry", to=[*WEIGHT["entry"], WEIGHT["entry"][1]]), "observation-creation-missing", "/0/entry"),
        (changed(WEIGHT, "entry", 1, "fullUrl", to=None), "full-url-missing", "/0/entry/1/fullUrl"),
        (observed(WEIGHT, "device", to=None), "device-reference-missing", "/0/entry/1/resource/device"),
        (observed(WEIGHT, "device", to={"reference": "Device/other"}), "device-not-linked", "/0/entry/1/resource/device"),
        (observed(WEIGHT, "meta", to=None), "observation-profile-missing", "/0/entry/1/resource/meta/profile"),
        (
            observed(WEIGHT, "meta", "profile", to=["http://hl7.org/fhir/StructureDefinition/bodyweight"]),
            "observation-profile-unknown",
            "/0/entry/1/resource/meta/profile",
        ),
        (
            observed(WEIGHT, "meta", "profile", to=[f"{BASES[0]}mesures-fr-observation-bp"]),
            "profile-code-mismatch",
            "/0/entry/1/resource/code",
        ),
        (observed(WEIGHT, "meta", "source", to="https://vendor.example"), "source-not-an-oid", "/0/entry/1/resource/meta/source"),
        (observed(WEIGHT, "valueQuantity", to=None), "value-quantity-missing", "/0/entry/1/resource/valueQuantity"),
        (observed(PRESSURE, "component", 1, "valueQuantity", to=None), "value-quantity-missing", "/0/entry/1/resource/valueQuantity"),
        (BMI, "bmi-refused", "/0/entry/1/resource/code"),
        (observed(WEIGHT, "subject", to={"reference": "Patient/1"}), "subject-identifier-missing", "/0/entry/1/resource/subject"),
        (observed(GLUCOSE, "extension", 1, to=None), "glucose-moment-missing", "/0/entry/1/resource/extension"),
        (observed(INTERSTITIAL, "extension", 1, to=None), "glucose-days-missing", "/0/entry/1/resource/extension"),
        (
            observed(
                GLUCOSE,
                "extension",
                to=[GLUCOSE["entry"][1]["resource"]["extension"][1], INTERSTITIAL["entry"][1]["resource"]["extension"][1]],
            ),
            "glucose-days-not-allowed",
            "/0/entry/1/resource/extension",
        ),
        (
            observed(
                INTERSTITIAL,
                "extension",
                to=[GLUCOSE["entry"][1]["resource"]["extension"][1], INTERSTITIAL["entry"][1]["resource"]["extension"][1]],
            ),
            "glucose-moment-not-allowed",
            "/0/entry/1/resource/extension",
        ),
        (changed(WEIGHT, "entry", 0, "resource", "meta", to=None), "device-profile-missing", "/0/entry/0/resource/meta/profile"),
    ],
)
def test_each_row_of_the_table_of_errors_has_a_code_and_a_place(bundle: Any, code: str, pointer: str) -> None:
    """The guide, "Réponse à la requête d'alimentation": 422. Good Bundles beside it are read."""
    refused, good = read(bundle, PRESSURE)
    assert (refused.code, refused.pointer, refused.keep) == (code, pointer, False)
    assert isinstance(good, Reading)
    assert "Lovelace" not in str(refused)


def test_a_payload_that_is_no_bundle_is_refused_as_a_whole() -> None:
    """422, "No bundle provided"."""
    with pytest.raises(Unreadable) as refusal:
        list(adapter.decode(json.dumps(WEIGHT["entry"][1]["resource"]).encode()))
    assert refusal.value.code == "no-bundle"


def test_a_single_bundle_is_read_as_one_in_a_list() -> None:
    (item,) = adapter.decode(json.dumps(WEIGHT).encode())
    assert item.pointer == "/entry/1/resource"
    assert parses_alone(adapter.decode, item)


@pytest.mark.parametrize("oid", ["1.2.250.1.999.7", "1.2.250.1.999.7.4", "1.2.250.1.999"])
def test_the_condition_may_name_an_oid_above_or_below_that_of_the_device(oid: str) -> None:
    """The guide: the OID of the Device, or one under it, is found in ifNoneExist."""
    condition = f"identifier=urn:oid:{oid}|SC-0001"
    assert isinstance(only(changed(WEIGHT, "entry", 0, "request", "ifNoneExist", to=condition)), Reading)


@pytest.mark.parametrize(("moment", "meal"), [("16915-1", "8417872"), ("53049-3", "8417876"), ("88365-2", "8417868"), ("LA46-8", None)])
def test_a_meal_is_a_reading_beside_the_glucose(moment: str, meal: str | None) -> None:
    items = read(observed(GLUCOSE, "extension", 1, "valueCodeableConcept", "coding", 0, "code", to=moment))
    assert [item.measure for item in items] == ["glucose-blood", *(["glucose-context-meal"] if meal else [])]
    assert [item.value.code for item in items if isinstance(item.value, Coded)] == ([meal] if meal else [])


def test_an_estimate_from_sensor_values_is_no_hba1c() -> None:
    """4548-4 under the profile of glucose is the "index de gestion de glycémie"; under that of HbA1c it is HbA1c."""
    assert (only(DOCUMENT[9]).measure, only(DOCUMENT[10]).measure) == ("glucose-management-indicator", "hba1c")


@pytest.mark.parametrize(
    ("bundle", "code"),
    [
        (
            observed(DOCUMENT[9], "valueQuantity", to={"value": 92, "system": "http://unitsofmeasure.org", "code": "mg/dL"}),
            "code-unit-mismatch",
        ),
        (observed(WEIGHT, "code", "coding", 0, "code", to="9463-7"), "code-name-mismatch"),
        (observed(WEIGHT, "code", "coding", to=[{"system": LOINC, "code": "9463-7"}]), "unknown-measure"),
        (observed(WEIGHT, "code", "coding", 0, "display", to="Taille"), "code-name-mismatch"),
    ],
)
def test_what_the_guide_itself_gets_wrong_is_refused_with_its_reason(bundle: Any, code: str) -> None:
    """DEVICES 0.6: its example codes 92 mg/dL as 4548-4, its list of codes prints 9463-7 for a weight."""
    assert only(bundle).code == code


def test_neither_the_subject_nor_words_about_the_person_are_kept() -> None:
    for item in read(*DOCUMENT):
        assert b"815106700000000" not in item.raw
        assert b"Lovelace" not in item.raw
        if isinstance(item, Reading):
            assert b"masked" in item.raw


def test_what_a_bundle_says_of_its_device_is_a_fact_without_the_patient_s_name_for_it() -> None:
    fact = next(iter(adapter.device_facts(FIXTURE.read_bytes())))
    assert (fact.device, fact.manufacturer, fact.model) == ("urn:oid:1.2.250.1.999.7|SC-0001", "Example Instruments", "Scale 9")
    assert "Lovelace" not in str(fact)


def readings_of(bundles: Any) -> set[str]:
    return {repr(place_free(item)) for item in read(*bundles) if isinstance(item, Reading)}


@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_any_order_any_splitting_and_any_repetition_give_the_same_readings(data: st.DataObject) -> None:
    again = data.draw(st.permutations([*DOCUMENT, *data.draw(st.lists(st.sampled_from(DOCUMENT), max_size=4))]))
    cut = data.draw(st.integers(1, len(again) - 1))
    assert readings_of(again[:cut]) | readings_of(again[cut:]) == readings_of(DOCUMENT)


PLACES = [
    ("entry", 1, "resource", name)
    for name in ("code", "subject", "device", "meta", "valueQuantity", "extension", "status", "effectiveDateTime", "component")
] + [
    ("entry", 0, "resource", "identifier"),
    ("entry", 0, "request"),
    ("entry", 1, "request"),
    ("entry", 1, "fullUrl"),
    ("type",),
    ("entry",),
]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from([LOINC, "29463-7", "Device/1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["coding", "system", "code", "value", "identifier", "reference", "url", "profile"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@settings(deadline=None, max_examples=200)
@given(bundle=st.sampled_from(DOCUMENT), place=st.sampled_from(PLACES), value=ODD)
def test_whatever_stands_in_a_place_gives_sound_items(bundle: Any, place: tuple[Any, ...], value: Any) -> None:
    for item in read(changed(bundle, *place, to=value)) if value is not None else ():
        assert faults(item) == ()
        if isinstance(item, Reading) or item.keep:
            assert parses_alone(adapter.decode, item), item
