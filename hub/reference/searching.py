"""What there is to say about search parameters by type and by name, with values to try. https://hl7.org/fhir/R4/search.html"""

from collections.abc import Mapping
from dataclasses import dataclass

from hub.console.words import Said
from hub.search.parameters import Parameter


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeRow:
    """A type of search parameter: how its values are written, and one of them."""

    how: Said
    example: str


TYPES: Mapping[str, TypeRow] = {
    "token": TypeRow(
        how=Said("system|code, |code, code or system|; compared exactly", "system|code, |code, code ou system| ; comparé exactement"),
        example="http://loinc.org|8867-4",
    ),
    "reference": TypeRow(
        how=Said("Type/id, id or a whole address", "Type/id, id ou une adresse entière"), example="Patient/0000000000000000000000"
    ),
    "date": TypeRow(
        how=Said(
            "2026, 2026-03, 2026-03-01 or a moment; before it eq ne gt lt ge le sa eb ap",
            "2026, 2026-03, 2026-03-01 ou un instant ; devant lui eq ne gt lt ge le sa eb ap",
        ),
        example="ge2026-01-01",
    ),
    "string": TypeRow(
        how=Said(
            "the beginning of a word, whatever its case or accents", "le début d’un mot, sans tenir compte de la casse ni des accents"
        ),
        example="dup",
    ),
    "number": TypeRow(
        how=Said("a number; before it eq ne gt lt ge le sa eb ap", "un nombre ; devant lui eq ne gt lt ge le sa eb ap"), example="gt0.8"
    ),
    "quantity": TypeRow(
        how=Said(
            "number|system|unit, number||unit or number, with a prefix", "nombre|système|unité, nombre||unité ou nombre, avec préfixe"
        ),
        example="gt140|http://unitsofmeasure.org|mm[Hg]",
    ),
    "uri": TypeRow(how=Said("an address, compared exactly", "une adresse, comparée exactement"), example="http://example.org/thing"),
    "composite": TypeRow(
        how=Said("two values joined by $, both of the same part", "deux valeurs jointes par $, de la même partie"),
        example="http://loinc.org|8480-6$gt140",
    ),
    "special": TypeRow(how=Said("as the specification says", "comme le dit la spécification"), example="48.85|2.35|10|km"),
}
"""R4 calls the hub's own type of `_id` a token."""

EXAMPLES: Mapping[str, str] = {
    "_id": "0000000000000000000000",
    "_lastUpdated": "ge2026-01-01",
    "_profile": "http://hl7.org/fhir/StructureDefinition/vitalsigns",
    "_security": "http://terminology.hl7.org/CodeSystem/v3-ActReason|HTEST",
    "_tag": "http://example.org/tags|demo",
    "_source": "http://example.org/source",
    "active": "true",
    "birthdate": "1970-02-03",
    "category": "vital-signs",
    "code-value-quantity": "http://loinc.org|29463-7$gt80",
    "combo-code-value-quantity": "http://loinc.org|8480-6$gt140",
    "component-code-value-quantity": "http://loinc.org|8480-6$gt140",
    "combo-code": "http://loinc.org|8480-6",
    "component-code": "http://loinc.org|8480-6",
    "device": "Device/0000000000000000000000",
    "email": "a@example.org",
    "gender": "female",
    "identifier": "http://example.org/ids|A-1",
    "organization": "Organization/0000000000000000000000",
    "phone": "+33123456789",
    "status": "active",
}
"""Where the name of a parameter calls for another value than its type."""
BY_TYPE: Mapping[tuple[str, str], str] = {("Observation", "status"): "final", ("Consent", "category"): "59284-0"}


def search_type(type: str) -> str:
    """R4's word for a type of parameter."""
    return "token" if type == "id" else type


def example(resource: str, row: Parameter) -> str:
    """A value that the parameter takes."""
    named = BY_TYPE.get((resource, row.code)) or EXAMPLES.get(row.code)
    if named is not None and (row.type != "reference" or not row.targets or named.partition("/")[0] in row.targets):
        return named
    if row.type == "composite":
        return "$".join(example(resource, one.parameter) for one in row.components)
    if row.type == "reference" and row.targets:
        return f"{row.targets[0]}/0000000000000000000000"
    if row.element == "boolean" or "boolean" in row.kinds:
        return "true"
    return TYPES[search_type(row.type)].example


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """A parameter that shapes the answer of a search."""

    how: Said
    example: str


RESULTS: Mapping[str, ResultRow] = {
    "_count": ResultRow(how=Said("how many a page holds; 0: the total alone", "combien par page ; 0 : le total seul"), example="50"),
    "_sort": ResultRow(
        how=Said("in which order; - before a key: downwards", "dans quel ordre ; - devant une clé : décroissant"), example="-_lastUpdated"
    ),
    "_total": ResultRow(how=Said("none, estimate or accurate", "none, estimate ou accurate"), example="accurate"),
    "_summary": ResultRow(how=Said("count or false", "count ou false"), example="count"),
    "_contained": ResultRow(how=Said("contained resources as well", "aussi les ressources contenues"), example="false"),
    "_explain": ResultRow(
        how=Said(
            "true: how the search runs, for administrators alone", "true : comment la recherche s’exécute, réservé aux administrateurs"
        ),
        example="false",
    ),
    "_page": ResultRow(how=Said("in next links only; opaque", "dans les liens suivants seulement ; opaque"), example="…"),
}
