"""What of a resource goes beside its sealed bytes: whose it is, whom it names, its tokens, its times.

Everything follows from the rows of `hub.search.parameters`, compiled once per type into a plan (`hub.search.plan`)
that one walk over the resource follows. It runs for each resource written, so the walk is kept plain.
"""

from typing import NamedTuple

from hub.errors import FhirError
from hub.search.concepts import qualified, with_any_system
from hub.search.curated import CATEGORY, CODING
from hub.search.parameters import RESOURCE_TYPES
from hub.search.plan import ELSEWHERE_KNOWN, PROFILE, Gathered, canonical, plan, walk
from hub.search.references import with_slash
from hub.search.value import PatientToken, Resource, Token

TYPE = "_type"
TOKENS_MAX = 8_192
RESOURCE_TYPE_SYSTEM = "http://hl7.org/fhir/resource-types"
URI_SYSTEM = "urn:ietf:rfc:3986"


class Indexed(NamedTuple):
    """What a row shows of one version of a resource.

    patient           id of the patient in whose compartment it lies, or None
    named             ids of all other patients it refers to, anywhere; their patient tokens are in `k` too
    k, g              tokens: searchable within a patient (or among patientless types); across patients
    start_us, end_us  effective time (us since 1970), end exclusive; None without
    """

    patient: str | None
    named: frozenset[str]
    k: frozenset[bytes]
    g: frozenset[bytes]
    start_us: int | None
    end_us: int | None


def index(resource: Resource, *, token: Token, patient_token: PatientToken, base: str = "") -> Indexed:
    """Index one valid resource, read from JSON, with its id.

    base  our own FHIR base: references written with it are local ones

    Raises FhirError `not-supported` for a type without a row, `value` for a date that is none, `too-long` for more
    tokens than one row may have: each is an entry in an index, written in one transaction with what others write.
    """
    type = resource["resourceType"]
    row = RESOURCE_TYPES.get(type)
    if row is None:
        raise FhirError("not-supported", "The hub does not keep this resource type.")
    gathered = Gathered(token, with_slash(base))
    gathered.k.add(token(TYPE, type))
    walk(resource, plan(type), gathered)
    patient = resource.get("id") if row.compartment == ("id",) else gathered.patient
    named = frozenset(gathered.named - {patient})
    if len(gathered.k) + len(gathered.g) + len(named) > TOKENS_MAX:
        raise FhirError("too-long", f"The resource holds more than {TOKENS_MAX} codings, identifiers and words of names.")
    gathered.k.update(map(patient_token, named))
    return Indexed(patient, named, frozenset(gathered.k), frozenset(gathered.g), gathered.start_us, gathered.end_us)


def class_tokens(system: str | None, code: str, token: Token) -> frozenset[bytes]:
    """The tokens of which a row carries one if it is of this class (R4 Consent.provision.class).

    A class is a resource type, else a profile, else a category.
    """
    if system == RESOURCE_TYPE_SYSTEM:
        return frozenset({token(TYPE, code)})
    if system == URI_SYSTEM or code.startswith(("http://", "https://")):
        return frozenset({token(PROFILE, canonical(code))})
    return frozenset(token(CATEGORY, text) for text in _texts(system, code, CONCEPT_SPACES[CATEGORY]))


def code_tokens(system: str | None, code: str, token: Token) -> frozenset[bytes]:
    """The tokens of which a row carries one if the coding stands anywhere in the resource outside `meta`."""
    return frozenset(token(space, text) for space, known in CONCEPT_SPACES.items() for text in _texts(system, code, known))


def _texts(system: str | None, code: str, known: frozenset[str]) -> frozenset[str]:
    return with_any_system(code, known) if system is None else frozenset({qualified(system, code)})


def _concept_spaces() -> dict[str, frozenset[str]]:
    """Each space that holds codings, with the systems that some type does not give an any-system token there."""
    spaces = {CODING: ELSEWHERE_KNOWN}
    for row in RESOURCE_TYPES.values():
        for parameter in row.parameters.values():
            if parameter.type == "token" and parameter.element == "concept" and parameter.paths[0][0] != "meta":
                for space in parameter.spaces:
                    spaces[space] = spaces.get(space, frozenset()) | frozenset(parameter.systems)
    return spaces


CONCEPT_SPACES = _concept_spaces()
