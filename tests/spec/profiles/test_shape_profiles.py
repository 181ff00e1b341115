"""The constraints of the profiles for what leaves the hub in a shape of others: each is found when it is broken.

ANS Mesures de santé 3.1.1, the errors 422 of its feed; gematik HDDT 1.0.1. What they demand is said in DEVICES 1.6 and 1.7.
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from fhir_profiles.profiles import findings
from tests.spec.profiles.examples import EXAMPLES, PROFILE_OF, concept, quantity

Json = dict[str, Any]
Break = Callable[[Json], None]


def broken(id: str, how: Break) -> list[str]:
    """Keys of the constraints that are found broken."""
    resource = copy.deepcopy(EXAMPLES[id])
    how(resource)
    return [one.text.split(":")[0] for one in findings(resource, [PROFILE_OF[id]]) if one.code == "invariant"]


def device_of(bundle: Json) -> Json:
    entry: Json = bundle["entry"][0]
    return entry


def observation_of(bundle: Json) -> Json:
    resource: Json = bundle["entry"][1]["resource"]
    return resource


FEED: dict[str, tuple[Break, list[str]]] = {
    "another method": (lambda one: device_of(one)["request"].update(method="PUT"), ["ans-bundle-1"]),
    "another type": (lambda one: one["entry"][1]["request"].update(url="Patient"), ["ans-bundle-1", "ans-bundle-4"]),
    "a device without a condition": (lambda one: device_of(one)["request"].pop("ifNoneExist"), ["ans-bundle-2"]),
    "a condition without an OID": (lambda one: device_of(one)["request"].update(ifNoneExist="identifier=serial|1"), ["ans-bundle-3"]),
    "an identifier with other characters": (
        lambda one: device_of(one)["request"].update(ifNoneExist="identifier=urn:oid:1.2|A:B"),
        ["ans-bundle-3"],
    ),
    "a device that is not linked": (lambda one: observation_of(one).update(device={"reference": "Device/other"}), ["ans-bundle-5"]),
    "no device": (lambda one: observation_of(one).pop("device"), ["ans-bundle-5"]),
    "no profile of the observation": (lambda one: observation_of(one)["meta"].pop("profile"), ["ans-bundle-6"]),
    "no profile of the device": (lambda one: device_of(one)["resource"].pop("meta"), ["ans-bundle-6"]),
    "no value": (lambda one: observation_of(one).pop("valueQuantity"), ["ans-bundle-7"]),
    "a body mass index": (lambda one: observation_of(one).update(code=concept("http://loinc.org", "39156-5")), ["ans-bundle-8"]),
    "a subject by reference": (lambda one: observation_of(one).update(subject={"reference": "Patient/p"}), ["ans-bundle-9"]),
    "a source that is no OID": (lambda one: observation_of(one)["meta"].update(source="http://example.org"), ["ans-bundle-10"]),
}


@pytest.mark.parametrize("what", FEED)
def test_each_error_of_the_french_feed_is_found(what: str) -> None:
    how, keys = FEED[what]
    assert broken("ans-feed-bundle", how) == keys


HDDT: dict[str, tuple[str, Break, list[str]]] = {
    "glucose without value or reason": ("hddt-blood-glucose", lambda one: one.pop("valueQuantity"), ["hddt-glucose-1"]),
    "a unit of another code": ("hddt-blood-glucose", lambda one: one.update(valueQuantity=quantity("mmol/L", 5)), ["hddt-glucose-2"]),
    "a chunk without values or reason": ("hddt-continuous-glucose", lambda one: one.pop("valueSampledData"), ["hddt-cgm-1"]),
    "nothing yet, and final": (
        "hddt-continuous-glucose",
        lambda one: (
            one.pop("valueSampledData"),
            one.update(dataAbsentReason=concept("http://terminology.hl7.org/CodeSystem/data-absent-reason", "temp-unknown")),
        ),
        ["hddt-cgm-2"],
    ),
    "a chunk in a unit of another code": (
        "hddt-continuous-glucose",
        lambda one: one["valueSampledData"].update(origin=quantity("mmol/L", 0)),
        ["hddt-cgm-3"],
    ),
    "a person by reference": ("hddt-blood-pressure", lambda one: one.update(subject={"reference": "Patient/p"}), ["hddt-pressure-1"]),
    "a definition elsewhere": ("hddt-device", lambda one: one.update(definition={"reference": "DeviceDefinition/d"}), ["hddt-device-1"]),
}


@pytest.mark.parametrize("what", HDDT)
def test_each_rule_of_the_german_shapes_is_found_broken(what: str) -> None:
    id, how, keys = HDDT[what]
    assert broken(id, how) == keys
