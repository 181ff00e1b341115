"""What a search parameter and a resource type are: the shape of the rows in `hub.search.parameters`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

SearchType = Literal["token", "reference", "date", "string", "number", "quantity", "uri", "composite", "id"]
"""R4 calls `_id` a token; it has neither system nor modifiers here, so it is a type of its own inside the hub."""

Where = Literal["k", "g", "p", "de", "lu", "id", "birthdate", "opened"]
"""What of a stored row decides: tokens within a patient (k) or across patients (g), the compartment (p), effective
times (d, e), lastUpdated (lu), the id, the tokens of a birth date; `opened`: nothing, only the opened resource."""

Element = Literal["concept", "code", "boolean", "Identifier", "ContactPoint", "mixed"]
"""What a token parameter reads: Coding and CodeableConcept, code or string, boolean, Identifier, ContactPoint; several."""

Path = tuple[str, ...]
Only = tuple[int, str, str]
"""(place in the path, element, value): only repetitions of that place whose element has this value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One part of a composite.

    parameter  its paths begin at the element that the composite repeats over
    whole      the parameter of the type whose tokens narrow this part
    absolute   it stands once in the resource, outside of what repeats
    """

    parameter: "Parameter"
    whole: "Parameter"
    absolute: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One search parameter of one resource type.

    paths       element names from the resource down; lists are walked
    kinds       the FHIR type of what each path leads to
    only        a condition on each path, or None
    spaces      the token spaces that answer it; its own unless other rows' tokens already say it (combo-code)
    writes      the space that its elements feed; None if it feeds none
    systems     concept: code systems that get no any-system token; code, boolean: the element's own systems
    targets     reference: resource types it may point to; empty is any type
    exact       its tokens alone decide; else the opened resource does after them
    roots       composite: the elements that its components stand in
    """

    code: str
    type: SearchType
    paths: tuple[Path, ...]
    kinds: tuple[str, ...] = ()
    only: tuple[Only | None, ...] = ()
    where: Where
    element: Element = "concept"
    spaces: tuple[str, ...] = ()
    writes: str | None = None
    systems: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    exact: bool = True
    roots: tuple[Path, ...] = ()
    components: tuple[Component, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """One resource type.

    compartment        the element that names the patient to whom a resource belongs (the Patient itself: its id)
    compartment_space  the space whose references to a patient are all told by the compartment, so need no token
    without_patient    it may be kept though it names no patient: administrative, not clinical
    category           its `category` is a concept, which a Consent may speak of
    refused            parameters that R4 has and the hub does not offer, each with the reason
    """

    name: str
    compartment: Path | None
    compartment_space: str | None
    without_patient: bool
    category: bool
    parameters: Mapping[str, Parameter]
    refused: Mapping[str, str] = field(default_factory=dict)
