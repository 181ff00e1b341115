"""A mapping mistake is corrected by reading the same bytes again: the differences first, then new versions, history as it was.

docs/adr/0017-rederivation.md; DEVICES 6.5 (Versioning): mapping version in the provenance, new versions, the diff shown first.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.reading import Item, Reading, Rejected, Whose
from hub.ingest.rederive.derive import Asked
from hub.ingest.rederive.plan import BadPlan, Plan, Planner, Window
from hub.ingest.rederive.report import reporting
from tests.support.backstage import Backstage
from tests.support.caller import Caller
from tests.support.edf import File, Signal
from tests.support.fixtures import Running
from tests.support.payloads import WEIGHT, group, identifier_system, weight, withings
from tests.support.rederiving import Bench, Mapping, StreamingMapping, later, stored, tenfold
from tests.support.resources import consent, patient

Json = dict[str, Any]
START_S = 1_750_000_000


@pytest.fixture
def person(ehr: Caller) -> str:
    return str(ehr.create(patient())["id"])


@pytest.fixture
def bench(ehr: Caller, backstage: Backstage, person: str) -> Bench:
    """A scale, paired with the person."""
    backstage.pair(identifier_system("withings"), f"scale-{person}", f"Patient/{person}", from_us=0)
    return Bench(backstage, ehr.account, "withings", tenfold)


def content(caller: Caller, reference: str) -> Json:
    answer = caller.get(reference)
    assert answer.status_code == 200, answer.text
    made: Json = answer.json()
    return made


def test_who_read_a_reading_shows_in_its_source_and_is_searched_for(bench: Bench, ehr: Caller, person: str) -> None:
    """DEVICES 6.5: mapping version in the provenance. https://hl7.org/fhir/R4/resource-definitions.html#Meta.source"""
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    source = content(ehr, reference)["meta"]["source"]
    assert source.endswith("/adapter/withings/0.9.0")
    assert ehr.found(f"Observation?patient={person}&_source={source}") == [reference.split("/")[1]]
    assert ehr.found(f"Observation?patient={person}&_source={source[:-5]}9.0.0") == []


def test_a_plan_shows_what_would_change_and_changes_nothing(bench: Bench, ehr: Caller, person: str) -> None:
    """The diff first."""
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    before = content(ehr, reference)
    plan = bench.plan(person)
    assert dict(plan.kinds) == {"changed": 1}
    (derived,) = bench.shown
    assert [tuple(one) for one in derived.changes] == [("valueQuantity.value", "70.0000", "70.000")]
    assert content(ehr, reference) == before
    assert before["meta"]["versionId"] == "1"


def test_applying_makes_a_new_version_and_leaves_the_old_one_in_the_history(bench: Bench, ehr: Caller, person: str) -> None:
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    old = content(ehr, reference)
    assert bench.apply(bench.plan(person)).to_json() == {
        "done": 1,
        "retracted": 0,
        "already": 0,
        "differs": 0,
        "held": 0,
        "refused": {},
        "stuck": {},
    }
    new = content(ehr, reference)
    assert (new["meta"]["versionId"], new["meta"]["source"].rpartition("/")[2]) == ("2", "9.0.0")
    assert ehr.get(reference).text.count("70.000") == 1
    assert "70.0000" not in ehr.get(reference).text
    assert content(ehr, f"{reference}/_history/1") == old
    assert dict(bench.plan(person).kinds) == {"unchanged": 1}


def test_applying_twice_is_applying_once(bench: Bench, ehr: Caller, person: str) -> None:
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    plan = bench.plan(person)
    bench.apply(plan)
    again = bench.apply(plan)
    assert (again.done, again.already) == (0, 1)
    assert content(ehr, reference)["meta"]["versionId"] == "2"


def test_what_is_sent_again_by_the_mended_mapping_is_a_duplicate_afterwards(bench: Bench, person: str) -> None:
    """ADR 6: the marks go along."""
    bench.ingest(weight(70_000), device=f"scale-{person}")
    bench.apply(bench.plan(person))
    assert [one.fate for one in bench.ingest(weight(70_000), device=f"scale-{person}", by=bench.mended)] == ["duplicate"]


def test_a_reading_under_another_key_leaves_the_old_one_in_error_and_each_names_the_other(bench: Bench, ehr: Caller, person: str) -> None:
    """History is never rewritten: who acted on the old one finds it, with what came in its place."""
    bench.mistake = later
    (old,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    plan = bench.plan(person)
    assert dict(plan.kinds) == {"moved": 1}
    assert bench.apply(plan).done == 1
    wrong = content(ehr, old)
    (new,) = [one["valueReference"]["reference"] for one in wrong["extension"] if one["url"].endswith("/replaced-by")]
    assert (wrong["status"], wrong["meta"]["versionId"]) == ("entered-in-error", "2")
    right = content(ehr, new)
    assert right["status"] == "final"
    assert right["effectiveDateTime"] != wrong["effectiveDateTime"]
    assert right["extension"] == [
        {"url": "http://hl7.org/fhir/StructureDefinition/observation-replaces", "valueReference": {"reference": f"{old}/_history/1"}}
    ]
    assert content(ehr, f"{old}/_history/1")["status"] == "final"
    assert "error" not in {issue["severity"] for issue in ehr.post("Observation/$validate", right).json()["issue"]}
    again = bench.apply(plan)
    assert (again.done, again.already) == (0, 1)
    assert dict(bench.plan(person).kinds) == {"unchanged": 1}, "what is in error is not looked at again, and the new one keeps its link"


def test_the_readings_of_one_item_are_told_apart_when_their_keys_change(bench: Bench, ehr: Caller, person: str) -> None:
    """Two measures at one moment, both an hour off: each goes to its own place."""
    bench.mistake = later
    stored(bench.ingest(withings(group(1, (WEIGHT, 70, 0), (11, 61, 0))), device=f"scale-{person}"))
    assert bench.apply(bench.plan(person)).done == 2
    found = ehr.search(f"Observation?patient={person}&status=final")["entry"]
    assert sorted(one["resource"]["valueQuantity"]["value"] for one in found) == [61, 70]
    assert ehr.search(f"Observation?patient={person}&status=entered-in-error&_summary=count")["total"] == 2


def test_a_measure_taken_for_another_becomes_the_right_one(bench: Bench, ehr: Caller, person: str) -> None:
    bench.mistake = lambda reading: replace(reading, measure="body-height", value=replace(reading.value, unit="m", value="1.70"))
    (old,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    assert dict(bench.plan(person).kinds) == {"moved": 1}
    assert bench.apply(bench.plan(person)).done == 1
    assert content(ehr, old)["status"] == "entered-in-error"
    (right,) = ehr.search(f"Observation?patient={person}&status=final")["entry"]
    assert right["resource"]["code"]["coding"][0]["code"] == "29463-7"


def test_what_was_sent_again_meanwhile_takes_the_place_without_another_version(bench: Bench, ehr: Caller, person: str) -> None:
    """The vendor has uploaded everything again with the mended mapping: the right reading is there already."""
    bench.mistake = later
    (old,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    (right,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}", by=bench.mended))
    assert bench.apply(bench.plan(person)).done == 1
    assert content(ehr, old)["status"] == "entered-in-error"
    assert content(ehr, right)["meta"]["versionId"] == "1"
    assert content(ehr, old)["extension"][0]["valueReference"]["reference"] == right


def test_a_mistake_about_a_mistake_brings_the_old_reading_back(bench: Bench, ehr: Caller, person: str) -> None:
    """The mapping was right at first: the old key is current again, with all that was in between in its history."""
    bench.mistake = later
    (old,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    assert bench.apply(bench.plan(person)).done == 1
    back = replace(bench.wrong, version="9.1.0")
    assert bench.apply(bench.plan(person, by=back), by=back).done == 1
    assert (content(ehr, old)["status"], content(ehr, old)["meta"]["versionId"]) == ("final", "3")


def as_rejected(reading: Reading) -> Item:
    return Rejected(code="user-goal", hint="A goal.", pointer=reading.pointer, raw=reading.raw, keep=False)


def test_what_comes_to_nothing_is_shown_and_stays_unless_it_is_to_be_retracted(bench: Bench, ehr: Caller, person: str) -> None:
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    mended = replace(bench.mended, mistake=as_rejected)
    plan = bench.plan(person, by=mended)
    assert (dict(plan.kinds), bench.shown[0].code) == ({"nothing": 1}, "user-goal")
    assert bench.apply(plan, by=mended).held == 1
    assert content(ehr, reference)["status"] == "final"
    assert bench.apply(plan, by=mended, retract=True).retracted == 1
    assert content(ehr, reference)["status"] == "entered-in-error"
    assert bench.apply(plan, by=mended, retract=True).already == 1


def test_a_time_at_which_somebody_else_had_the_unit_moves_nothing_to_them(
    bench: Bench, ehr: Caller, backstage: Backstage, person: str
) -> None:
    """Pairings bind: the reading is not this person's after all, and nobody gives it to the other by way of a mapping."""
    other = str(ehr.create(patient())["id"])
    unit, change_us = f"shared-{person}", (START_S + 1_800) * 1_000_000
    backstage.pair(identifier_system("withings"), unit, f"Patient/{other}", from_us=0, to_us=change_us)
    backstage.pair(identifier_system("withings"), unit, f"Patient/{person}", from_us=change_us)
    bench.mistake = later
    (reference,) = stored(bench.ingest(weight(70_000, date=START_S), device=unit))
    plan = bench.plan(person)
    assert dict(plan.kinds) == {"elsewhere": 1}
    assert bench.apply(plan).held == 1
    assert content(ehr, reference)["status"] == "final"
    assert ehr.search(f"Observation?patient={other}&_summary=count")["total"] == 0


def test_what_turns_out_to_name_somebody_else_is_not_written_again_for_this_patient(bench: Bench, ehr: Caller, person: str) -> None:
    """docs/adr/0019: the payload gives an identifier of a system in which the patient has another one."""
    ehr.update(content(ehr, f"Patient/{person}"), identifier=[{"system": "urn:example:people", "value": "mine"}])
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    others = Whose(system="urn:example:people", digest=hashlib.sha256(b"theirs").hexdigest())
    mended = replace(bench.mended, mistake=lambda reading: replace(reading, whose=(others,)))
    plan = bench.plan(person, by=mended)
    assert dict(plan.kinds) == {"elsewhere": 1}
    assert bench.apply(plan, by=mended, retract=True).retracted == 1
    assert content(ehr, reference)["status"] == "entered-in-error"


def test_a_row_that_has_changed_since_the_plan_is_left_alone(bench: Bench, ehr: Caller, person: str) -> None:
    """The plan is bound to what it saw."""
    first, second = stored(
        bench.ingest(withings(group(1, (WEIGHT, 70_000, -3)), group(2, (WEIGHT, 71_000, -3), date=START_S + 60)), device=f"scale-{person}")
    )
    plan = bench.plan(person)
    amended = ehr.update(content(ehr, first), note=[{"text": "a person looked at it"}])
    done = bench.apply(plan)
    assert (done.done, done.differs) == (1, 1)
    assert content(ehr, first) == amended
    assert content(ehr, second)["meta"]["versionId"] == "2"


def test_what_a_person_changed_is_not_derived_anew(bench: Bench, ehr: Caller, person: str) -> None:
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    ehr.update(content(ehr, reference), note=[{"text": "corrected by hand"}])
    assert bench.plan(person).rows == []


@pytest.mark.parametrize("change", ["withdrawn", "revoked"])
def test_what_is_not_permitted_any_more_is_neither_shown_nor_touched(
    backstage: Backstage, ehr: Caller, another: Callable[..., Caller], person: str, change: str
) -> None:
    """Consent is asked as for a write, and the report says only how many (law 1)."""
    vendor = another("system/Observation.c")
    agreed = ehr.create(consent(person))
    backstage.pair(identifier_system("withings"), f"c-{person}", f"Patient/{person}", from_us=0)
    bench = Bench(backstage, vendor.account, "withings", tenfold)
    (reference,) = stored(bench.ingest(weight(70_000), device=f"c-{person}"))
    plan = bench.plan(person)
    assert len(plan.rows) == 1
    if change == "withdrawn":
        ehr.update(agreed, status="inactive")
    else:
        backstage.revoke(vendor.account)
    why = {"withdrawn": "not-permitted", "revoked": "sender-gone"}[change]
    assert bench.apply(plan).to_json()["refused"] == {why: 1}
    assert content(ehr, reference)["meta"]["versionId"] == "1"
    later_plan = bench.plan(person)
    assert (later_plan.rows, dict(later_plan.left), bench.shown) == ([], {why: 1}, [])


def test_only_what_one_version_read_can_be_asked_for(bench: Bench, person: str) -> None:
    bench.ingest(weight(70_000), device=f"scale-{person}")
    assert dict(bench.plan(person, mapping_version="0.9.0").kinds) == {"changed": 1}
    assert dict(bench.plan(person, mapping_version="0.8.0").kinds) == {}


def test_every_row_that_is_shown_or_written_is_on_record_under_its_patient(bench: Bench, backstage: Backstage, person: str) -> None:
    """Law 2: the plan is a read and the application a write, in the name of the client, with who and why."""
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    token, plans = backstage.patient_token(person), []
    shown = backstage.recorded_by(lambda: plans.append(bench.plan(person)))
    written = backstage.recorded_by(lambda: bench.apply(plans[0]))
    for records, kind, version in ((shown, "rederive-plan", "1"), (written, "rederive-apply", "2")):
        assert {one.kind for one in records} == {kind}
        mine = [one for one in records if one.patient == token][-1]
        assert f"{reference}/_history/{version}" in json.dumps(mine.event)
        assert mine.event["purposeOfEvent"][0]["text"] == "tests"


def test_a_plan_that_shows_nothing_is_on_record_under_its_patient(bench: Bench, backstage: Backstage, person: str) -> None:
    """Law 2: how many readings are unchanged, or not permitted, is an answer about somebody; so is that there are none."""
    token, began_us = backstage.patient_token(person), backstage.hub.services.clock()

    def records_of(patient: str | None) -> list[Any]:
        window = Window(since_us=began_us, until_us=backstage.hub.services.clock() + 1_000_000, patient=patient)
        planner = Planner(backstage.hub.services, bench.senders, Asked(adapter=bench.wrong), window)
        return backstage.recorded_by(lambda: backstage.run(planner.run(lambda _: None)))

    def mine(records: list[Any]) -> list[Any]:
        return [one for one in records if one.patient == token]

    (empty,) = mine(records_of(f"Patient/{person}"))
    assert (empty.kind, empty.event["purposeOfEvent"][0]["text"]) == ("rederive-plan", "tests")
    assert len(records_of("Patient/nobody")) >= 1
    bench.ingest(weight(70_000), device=f"scale-{person}")
    assert len(mine(records_of(f"Patient/{person}"))) == 1
    assert len(mine(records_of(None))) == 1, "nobody was named, and this one's was opened"
    assert bench.shown == []


def test_a_plan_that_was_edited_or_made_elsewhere_is_none(bench: Bench, backstage: Backstage, person: str) -> None:
    bench.ingest(weight(70_000), device=f"scale-{person}")
    services, plan = backstage.hub.services, bench.plan(person)
    written = json.loads(plan.to_bytes(services))
    assert Plan.from_bytes(json.dumps(written).encode(), services).rows == plan.rows
    assert [len(row) for row in written["rows"]] == [5], "row, version, kind, and two digests: no value"
    for change in ({"rows": []}, {"mappingVersion": "1.0.0"}, {"seal": "00" * 12}):
        with pytest.raises(BadPlan):
            Plan.from_bytes(json.dumps({**written, **change}).encode(), services)
    with pytest.raises(BadPlan):
        Plan.from_bytes(b"[]", services)
    with pytest.raises(BadPlan):
        bench.apply(plan, by=bench.wrong)


def test_the_report_names_nobody(bench: Bench, person: str, tmp_path: Path) -> None:
    """Neither patient nor device; and the page runs nothing."""
    bench.ingest(weight(70_000), device=f"scale-{person}")
    plan = bench.plan(person)
    for name in ("report.json", "report.html"):
        path = tmp_path / name
        with reporting(path) as report:
            for one in bench.shown:
                report.add(one)
            report.end(plan.summary())
        text = path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        assert "70.0000" in text
        assert person not in text
        assert f"scale-{person}" not in text
        assert "<script" not in text
    made = json.loads((tmp_path / "report.json").read_text())
    assert made["summary"]["kinds"] == {"changed": 1}
    assert made["rows"][0]["changes"] == [{"path": "valueQuantity.value", "old": "70.0000", "new": "70.000"}]


def test_the_commands_plan_and_apply(running: Running, bench: Bench, ehr: Caller, person: str, tmp_path: Path) -> None:
    """With the adapter as it is installed."""
    (reference,) = stored(bench.ingest(weight(70_000), device=f"scale-{person}"))
    out, page = tmp_path / "plan.json", tmp_path / "report.html"
    command = running.process.invoke
    flags = ("--adapter", "withings", "--patient", f"Patient/{person}", "--out", str(out), "--reason", "tests")
    assert command("rederive", "plan", *flags, "--report", str(page)).json()["kinds"] == {"changed": 1}
    assert "70.0000" not in out.read_text()
    assert "70.0000" in page.read_text()
    assert command("rederive", "plan", *flags).code == 1, "a plan is not overwritten"
    assert command("rederive", "plan", "--adapter", "nothing", "--out", str(tmp_path / "x")).code == 1
    assert command("rederive", "apply", str(out), "--reason", "tests").json()["done"] == 1
    assert command("rederive", "apply", str(out), "--reason", "tests").json()["already"] == 1
    assert command("rederive", "apply", str(page)).code == 1
    assert command("rederive", "apply", str(tmp_path / "missing")).code == 1
    assert content(ehr, reference)["meta"]["versionId"] == "2"


def tape(label: str) -> bytes:
    return bytes(File(signals=[Signal(label=label, records=[[second, -second] * 150 for second in range(600)])]))


@pytest.mark.parametrize("mistake", [later, lambda reading: replace(reading, quality=("body-movement",))], ids=["moved", "changed"])
@pytest.mark.parametrize("kind", [Mapping, StreamingMapping], ids=["read whole", "read in pieces"])
def test_a_recording_is_derived_anew_with_its_document_and_its_bytes(
    backstage: Backstage, ehr: Caller, person: str, mistake: Callable[[Reading], Reading], kind: type[Mapping]
) -> None:
    """ADR 14: three resources, and the bytes under whatever key they have."""
    backstage.pair(identifier_system("edf"), f"eeg-{person}", f"Patient/{person}", from_us=0)
    local = mistake if mistake is not later else _later_local
    bench = Bench(backstage, ehr.account, "edf", local, kind=kind)
    payload = tape("EEG Cz")
    (reference,) = stored(bench.ingest(payload, device=f"eeg-{person}", zone="Europe/Paris"))
    before = _bytes_of(ehr, reference)
    assert bench.apply(bench.plan(person)).done == 1
    now = content(ehr, reference)
    if mistake is later:
        assert now["status"] == "entered-in-error"
        reference = next(one["valueReference"]["reference"] for one in now["extension"] if one["url"].endswith("/replaced-by"))
        assert content(ehr, content(ehr, reference)["derivedFrom"][0]["reference"])["status"] == "current"
    else:
        assert "extension" not in now
    assert _bytes_of(ehr, reference) == before
    assert dict(bench.plan(person).kinds) == {"unchanged": 1}


def _later_local(reading: Reading) -> Reading:
    def moved(time: Any) -> Any:
        return replace(time, wall=time.wall + timedelta(hours=1), text=f"{time.text}+1h")

    return replace(reading, time=moved(reading.time), end=moved(reading.end))


def _bytes_of(caller: Caller, reference: str) -> bytes:
    document = content(caller, content(caller, reference)["derivedFrom"][0]["reference"])
    url = document["content"][0]["attachment"]["url"]
    answer = caller.get(url, headers={"Accept": "application/edf"})
    assert answer.status_code == 200, answer.text
    return answer.content
