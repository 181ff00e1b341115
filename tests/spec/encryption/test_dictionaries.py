"""Zstandard dictionaries. DESIGN 5: trained per resource type, versioned, without patient data; RFC 8878."""

import json
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.agents import Source
from audit.events import events
from audit.interaction import Interaction, Item
from fhir_profiles.catalogue import MEASURES
from fhir_profiles.measurement import Amount, Measurement
from fhir_profiles.observation import observation
from security.blind import fhir_id
from security.dictionaries import (
    FOLDER,
    MANIFEST,
    NO_DICTIONARY,
    Dictionary,
    DictionaryError,
    by_id,
    for_type,
    load,
    newest,
    observations,
    samples,
)
from security.dictionaries.samples import Template, blank, fill
from security.dictionaries.train import DICTIONARY_BYTES_MAX, TYPES, WORD_BYTES_MIN, content_of, train, vocabulary, write

ALL = load(FOLDER)
RANDOM = Random(5)


def some_id() -> str:
    return fhir_id(RANDOM.randbytes(16))


def filled(resource_type: str, number: int = 200, seed: int = 77) -> list[bytes]:
    templates, random = list(TYPES[resource_type]()), Random(seed)
    return [fill(random.choice(templates), random) for _ in range(number)]


def mean(dictionary: Dictionary, texts: Sequence[bytes]) -> float:
    return sum(len(dictionary.compress(text)) for text in texts) / len(texts)


def uncovered(text: bytes, known: bytes) -> int:
    """How many bytes of `text` lie in no stretch of WORD_BYTES_MIN bytes that `known` contains."""
    covered: set[int] = set()
    for at in range(len(text) - WORD_BYTES_MIN + 1):
        if text[at : at + WORD_BYTES_MIN] in known:
            covered.update(range(at, at + WORD_BYTES_MIN))
    return len(text) - len(covered)


def our_observations() -> list[bytes]:
    """One of each measure that the dictionary was trained on, as the builder makes it; the catalogue goes on, a dictionary does not."""
    trained, made = {row.text for row in (observations.PANEL, *observations.ROWS)}, []
    for measure in (one for one in MEASURES.values() if one.text in trained):
        parts = {key: Amount(value="80", unit=part.canonical) for key, part in measure.components.items()}
        measurement = Measurement(
            measure=measure.key,
            patient=f"Patient/{some_id()}",
            device=f"Device/{some_id()}",
            effective="2026-10-17T07:43:21+02:00",
            value=None if parts else Amount(value="71.3", unit=measure.canonical),
            components=parts,
        )
        made.append(observation(measurement, id=some_id(), version=1, last_updated="2026-11-22T10:52:07.914Z"))
    return made


def our_audit_events() -> list[bytes]:
    """A read and a search of three, as the log writes them: of the interaction and of the patient."""
    patient = f"Patient/{some_id()}"
    items = [
        Item(reference=f"Observation/{some_id()}", version="1", patient=patient, basis="policy opt-out", category="vital-signs")
        for _ in range(3)
    ]
    interactions = [
        Interaction(
            kind=kind,
            recorded_us=1_795_000_000_123_456,
            request_id=some_id(),
            client_id=some_id(),
            client_name="Ehr",
            organization=f"Organization/{some_id()}",
            token_id=some_id(),
            purpose="TREAT",
            network="127.0.0.1",
            items=tuple(found),
        )
        for kind, found in (("read", items[:1]), ("search", items))
    ]
    ids = iter(some_id() for _ in range(10))
    source = Source("hds-hub", "http://127.0.0.1:8000/fhir")
    return [orjson.dumps(event.resource) for interaction in interactions for event in events(interaction, ids, source)]


@pytest.mark.parametrize("dictionary", ALL, ids=lambda one: f"{one.resource_type}-{one.version}")
@given(text=st.binary(max_size=500))
def test_what_was_compressed_unfolds(dictionary: Dictionary, text: bytes) -> None:
    """RFC 8878: whatever the text, resource or not."""
    assert dictionary.decompress(dictionary.compress(text)) == text


@pytest.mark.parametrize("dictionary", ALL, ids=lambda one: f"{one.resource_type}-{one.version}")
def test_a_dictionary_holds_words_of_the_format_only(dictionary: Dictionary) -> None:
    """DESIGN 5: never patient data. Each byte belongs to a stretch of a template from which all that is a person's is gone."""
    known = vocabulary(TYPES[dictionary.resource_type]())
    assert uncovered(content_of(dictionary.content), known) == 0


@pytest.mark.parametrize("kind", ["name", "words", "id", "born", "serial"])
def test_a_name_that_is_in_every_sample_does_not_get_into_the_dictionary(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 5: the trainer likes what is frequent; the cut to words of the format must hold all the same."""
    monkeypatch.setitem(samples._KINDS, kind, lambda _: "Zzyqxcanary")
    templates = [template for name in ("Observation", "Patient", "Device") for template in TYPES[name]()]
    assert any(b"Zzyqxcanary" in fill(template, Random(1)) for template in templates)
    assert b"Zzyq" not in train(templates, 1)


def test_training_again_gives_the_same_bytes() -> None:
    """DESIGN 5: versioned; what a reviewer trains is what lies in the folder, as far as the same zstd is used."""
    templates = list(TYPES["Device"]())
    assert train(templates, 4) == train(templates, 4)


@pytest.mark.parametrize("resource_type", TYPES)
def test_a_dictionary_trained_now_is_no_better_than_the_one_in_the_folder(resource_type: str) -> None:
    """DESIGN 5: when templates change so much that this fails, it is time for a new version (`security.dictionaries.train`)."""
    fresh = Dictionary(id=99, resource_type=resource_type, version=99, content=train(list(TYPES[resource_type]()), 99))
    texts = filled(resource_type)
    assert mean(for_type(resource_type), texts) <= 1.01 * mean(fresh, texts)


def test_an_observation_of_ours_becomes_150_bytes_or_less() -> None:
    """DESIGN 5: measured 90 to 150 bytes for one of about 1,000; 48 of them are the three random ids."""
    assert mean(for_type("Observation"), our_observations()) <= 150


def test_an_audit_event_of_ours_becomes_a_tenth() -> None:
    """DESIGN 5: each read writes at least two of these."""
    texts = our_audit_events()
    assert mean(for_type("AuditEvent"), texts) <= 0.1 * sum(map(len, texts)) / len(texts)


@pytest.mark.parametrize("resource_type", TYPES)
def test_each_dictionary_serves_its_type_better_than_none_and_than_the_shared_one(resource_type: str) -> None:
    """DESIGN 5: trained per resource type because it pays."""
    texts = filled(resource_type)
    own = mean(for_type(resource_type), texts)
    assert own <= 0.5 * mean(NO_DICTIONARY, texts)
    assert own <= mean(for_type("Basic"), texts)


def test_types_without_a_dictionary_of_their_own_share_one() -> None:
    """DESIGN 5; any name will do, also one that FHIR does not know."""
    assert for_type("Condition") is for_type("_rules") is for_type("Resource")
    assert for_type("Observation") is not for_type("Resource")


def test_dictionaries_are_found_by_the_number_that_they_carry() -> None:
    """RFC 8878 5: the number in the file is the number in the manifest and in each sealed value."""
    assert [by_id(one.id).content for one in ALL] == [one.content for one in ALL]
    assert [int.from_bytes(one.content[4:8], "little") for one in ALL] == [one.id for one in ALL]
    assert all(0 < one.id <= 255 for one in ALL)
    assert by_id(0) is NO_DICTIONARY


def test_an_unknown_number_is_an_error() -> None:
    """STYLE 7.7: not guessed."""
    with pytest.raises(KeyError):
        by_id(255)


def test_the_files_are_small_enough_to_be_loaded_at_each_start() -> None:
    """At most 16 KiB each."""
    assert all(len(one.content) <= DICTIONARY_BYTES_MAX for one in ALL)


def test_a_file_that_is_not_the_listed_one_is_refused(tmp_path: Path) -> None:
    """DESIGN 2.5: with another dictionary all that was sealed would be unreadable, so the hub does not start."""
    folder = shutil.copytree(FOLDER, tmp_path / "copy")
    assert [one.id for one in load(folder)] == [one.id for one in ALL]
    altered = folder / json.loads((folder / MANIFEST).read_text())[0]["file"]
    altered.write_bytes(altered.read_bytes() + b"x")
    with pytest.raises(DictionaryError, match=altered.name):
        load(folder)


def test_a_new_version_seals_from_now_on_and_the_old_one_still_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 5: versioned; numbers and files of older versions stay."""
    monkeypatch.setattr("security.dictionaries.train.TYPES", {"Device": TYPES["Device"]})
    folder = shutil.copytree(FOLDER, tmp_path / "copy")
    write(folder, 2)
    after = load(folder)
    assert [one.content for one in after[: len(ALL)]] == [one.content for one in ALL]
    assert [(one.id, one.version) for one in after[len(ALL) :]] == [(max(one.id for one in ALL) + 1, 2)]
    assert newest(after)["Device"].version == 2
    assert newest(after)["Observation"].version == 1


def test_replacing_a_version_keeps_its_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as nothing that must be kept was sealed, version 1 may be trained again in its place."""
    monkeypatch.setattr("security.dictionaries.train.TYPES", {"Device": TYPES["Device"]})
    folder = shutil.copytree(FOLDER, tmp_path / "copy")
    write(folder, 1)
    assert [(one.id, one.resource_type, one.version) for one in load(folder)] == [(one.id, one.resource_type, one.version) for one in ALL]


def test_several_threads_compress_with_one_dictionary() -> None:
    """Zstandard contexts must not be shared by threads; the dictionary takes care of it."""
    dictionary, texts = for_type("Observation"), filled("Observation", 500)
    with ThreadPoolExecutor(4) as pool:
        unfolded = list(pool.map(lambda text: dictionary.decompress(dictionary.compress(text)), texts * 4))
    assert unfolded == texts * 4


def test_markers_are_filled_by_chance_and_blanked_without() -> None:
    """The one place where a sample's values come from: `"§number"` loses its quotes, every other kind keeps them."""
    template: Template = {"reference": "Patient/§id", "value": "§number:40-41.2", "unit": "kg", "birthDate": "§born"}
    assert blank(template) == b'{"reference":"Patient/","value":0,"unit":"kg","birthDate":""}'
    one = json.loads(fill(template, Random(1)))
    assert one.keys() == template.keys()
    assert 40 <= one["value"] <= 41
    assert len(one["reference"]) == len("Patient/") + 22
    assert fill(template, Random(1)) == fill(template, Random(1)) != fill(template, Random(2))
