"""$meta, $meta-add and $meta-delete over HTTP. https://hl7.org/fhir/R4/resource-operations.html"""

from typing import Any

from tests.support.caller import Caller
from tests.support.outcomes import refused
from tests.support.resources import ABSENT, observation, organization, patient

Json = dict[str, Any]
TAG = {"system": "urn:tags", "code": "reviewed"}


def meta(answer: Any) -> Json:
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()["parameter"][0]["valueMeta"]
    return found


def changing(**told: Any) -> Json:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": told}]}


def test_the_meta_of_an_instance_and_of_a_version(ehr: Caller) -> None:
    """FHIR.md 4b.10."""
    made = ehr.create(organization())
    assert meta(ehr.get(f"Organization/{made['id']}/$meta")) == made["meta"]
    assert meta(ehr.get(f"Organization/{made['id']}/_history/1/$meta")) == made["meta"]


def test_labels_are_added_once_and_taken_away(ehr: Caller) -> None:
    made = ehr.create(organization())
    added = meta(ehr.post(f"Organization/{made['id']}/$meta-add", changing(tag=[TAG])))
    assert (added["tag"], added["versionId"]) == ([TAG], "2")
    assert meta(ehr.post(f"Organization/{made['id']}/$meta-add", changing(tag=[{**TAG, "display": "Reviewed"}])))["versionId"] == "2"
    assert ehr.found(f"Organization?_tag=urn:tags|reviewed&_id={made['id']}") == [made["id"]]
    removed = meta(ehr.post(f"Organization/{made['id']}/$meta-delete", changing(tag=[TAG])))
    assert "tag" not in removed
    assert ehr.found(f"Organization?_tag=urn:tags|reviewed&_id={made['id']}") == []


def test_the_labels_of_a_type_are_those_of_what_may_be_seen(ehr: Caller, stranger: Caller) -> None:
    """Law 3."""
    person = ehr.create(patient())
    tag = {"system": "urn:tags", "code": "of-hers"}
    ehr.create(observation(person["id"], meta={"tag": [tag]}))
    assert tag in meta(ehr.get("Observation/$meta"))["tag"]
    hers = stranger.get("Observation/$meta").json()
    assert "of-hers" not in str(hers)


def test_what_is_no_label_is_refused(ehr: Caller) -> None:
    made = ehr.create(organization())
    refused(ehr.post(f"Organization/{made['id']}/$meta-add", changing(versionId="7")), 400, "invalid")
    refused(ehr.post(f"Organization/{made['id']}/$meta-add", {"resourceType": "Parameters"}), 400, "invalid")
    refused(ehr.post(f"Organization/{ABSENT}/$meta-add", changing(tag=[TAG])), 404, "not-found")
