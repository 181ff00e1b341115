"""Random resources and random searches over one small vocabulary, so that they meet often."""

from typing import Any

from hypothesis import strategies as st

from hub.search.grammar import escape
from hub.search.parameters import RESOURCE_TYPES, Parameter
from hub.search.systems import LOINC, MDC
from tests.spec.search.given import BASE

IDS = ("1", "2", "p")
SYSTEMS = (None, LOINC, MDC, "urn:local", "*", "a|b", "a\\")
CODES = ("8867-4", "8480-6", "vital-signs", "A", "a", "x|y", "b,c", "*|A")
STATUSES = ("final", "active", "R", "0", "female")
WORDS = ("Jean-Pierre", "jean", "O'Brien", "Dupont", "Wolfeschlegelstein", "Wolfeschlegelsteiner", "Zoé", "Li", "3", "du Pont")
DATES = (
    "2025",
    "2026",
    "2026-01",
    "2026-01-01",
    "2026-01-01T00:00:00Z",
    "2026-01-31T23:59:59.999Z",
    "2026-01-31T23:30:00-05:00",
    "2026-02-01",
)
BIRTHS = ("1700", "1849-12-31", "1850", "1980", "1980-03", "1980-03-05", "2101-01-01")
TYPES = ("Patient", "Group", "Device", "Practitioner", "Organization")


def _object(**elements: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=elements)


def _some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(strategy, min_size=1, max_size=2)


CODINGS = st.builds(
    lambda system, code: {"code": code} if system is None else {"system": system, "code": code},
    st.sampled_from(SYSTEMS),
    st.sampled_from(CODES),
) | st.just({"system": LOINC})
CONCEPTS = _object(coding=_some(CODINGS), text=st.sampled_from(CODES))
IDENTIFIERS = _object(system=st.sampled_from([s for s in SYSTEMS if s]), value=st.sampled_from(CODES), type=CONCEPTS)
LITERALS = st.builds(
    lambda front, to, target, back: f"{front}{to}/{target}{back}",
    st.sampled_from(["", "", f"{BASE}/", "https://other.example/fhir/"]),
    st.sampled_from(TYPES),
    st.sampled_from(IDS),
    st.sampled_from(["", "", "/_history/1"]),
)
REFERENCES = _object(reference=LITERALS | st.sampled_from(["#1", "urn:uuid:1"]), display=st.just("x"))
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(" ".join)
NAMES = _object(text=TEXTS, family=TEXTS, given=_some(TEXTS), prefix=_some(TEXTS))
INSTANTS = st.sampled_from(DATES)
PERIODS = _object(start=st.sampled_from(DATES[:2]), end=st.sampled_from(DATES[2:]))
METAS = st.fixed_dictionaries(
    {"lastUpdated": st.sampled_from([text for text in DATES if "T" in text])}, optional={"profile": _some(st.just("urn:profile|1"))}
)
STATUS = st.sampled_from(STATUSES)

ELEMENTS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "Patient": {
        "identifier": _some(IDENTIFIERS),
        "name": _some(NAMES),
        "birthDate": st.sampled_from(BIRTHS),
        "gender": STATUS,
        "active": st.booleans(),
        "managingOrganization": REFERENCES,
        "maritalStatus": CONCEPTS,
    },
    "Practitioner": {"identifier": _some(IDENTIFIERS), "name": _some(NAMES), "active": st.booleans()},
    "Organization": {"identifier": _some(IDENTIFIERS), "name": TEXTS, "alias": _some(TEXTS), "active": st.booleans()},
    "Device": {
        "identifier": _some(IDENTIFIERS),
        "deviceName": _some(_object(name=TEXTS)),
        "type": CONCEPTS,
        "manufacturer": TEXTS,
        "modelNumber": TEXTS,
        "status": STATUS,
        "patient": REFERENCES,
    },
    "Observation": {
        "identifier": _some(IDENTIFIERS),
        "status": STATUS,
        "category": _some(CONCEPTS),
        "code": CONCEPTS,
        "component": _some(_object(code=CONCEPTS, valueCodeableConcept=CONCEPTS)),
        "subject": REFERENCES,
        "device": REFERENCES,
        "performer": _some(REFERENCES),
        "valueCodeableConcept": CONCEPTS,
    },
    "Consent": {
        "identifier": _some(IDENTIFIERS),
        "status": STATUS,
        "scope": CONCEPTS,
        "category": _some(CONCEPTS),
        "patient": REFERENCES,
        "dateTime": INSTANTS,
        "provision": _object(period=PERIODS),
    },
    "AuditEvent": {
        "type": CODINGS,
        "subtype": _some(CODINGS),
        "action": STATUS,
        "outcome": STATUS,
        "recorded": INSTANTS,
        "agent": _some(_object(who=REFERENCES, altId=STATUS)),
        "entity": _some(_object(what=REFERENCES)),
    },
}
EFFECTIVE = st.one_of(
    st.just({}),
    INSTANTS.map(lambda text: {"effectiveDateTime": text}),
    PERIODS.map(lambda period: {"effectivePeriod": period}),
    st.lists(INSTANTS, min_size=1, max_size=2).map(lambda events: {"effectiveTiming": {"event": events}}),
)


@st.composite
def resources(draw: st.DrawFn, type: str) -> dict[str, Any]:
    made = {"resourceType": type, "id": draw(st.sampled_from(IDS)), "meta": draw(METAS), **draw(_object(**ELEMENTS[type]))}
    return made | draw(EFFECTIVE) if type == "Observation" else made


def _written(draw: st.DrawFn, parameter: Parameter, modifier: str) -> str:
    if modifier == "missing" or parameter.element == "boolean":
        return draw(st.sampled_from(["true", "false"]))
    return WRITE[parameter.type](draw, parameter, modifier)


def _written_id(draw: st.DrawFn, _parameter: Parameter, _modifier: str) -> str:
    return draw(st.sampled_from(IDS))


def _written_date(draw: st.DrawFn, parameter: Parameter, _modifier: str) -> str:
    prefix = draw(st.sampled_from(["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]))
    return prefix + draw(st.sampled_from(BIRTHS if parameter.where == "birthdate" else DATES))


def _written_string(draw: st.DrawFn, _parameter: Parameter, _modifier: str) -> str:
    return escape(draw(TEXTS))


def _written_token(draw: st.DrawFn, parameter: Parameter, _modifier: str) -> str:
    codes = STATUSES if parameter.element == "code" else CODES
    code, system = escape(draw(st.sampled_from(codes))), escape(draw(st.sampled_from([s or "" for s in (*SYSTEMS, *parameter.systems)])))
    forms = [code, f"{system}|{code}", *([f"{system}|"] if system else [])]
    return draw(st.sampled_from(forms))


def _written_reference(draw: st.DrawFn, parameter: Parameter, modifier: str) -> str:
    id = draw(st.sampled_from(IDS))
    type = modifier or draw(
        st.sampled_from([t for t in TYPES if not parameter.targets or t in parameter.targets] or [parameter.targets[0]])
    )
    forms = [f"{type}/{id}", f"{BASE}/{type}/{id}", f"https://other.example/fhir/{type}/{id}"]
    return draw(st.sampled_from(forms + ([id] if parameter.targets or modifier else [])))


WRITE = {
    "id": _written_id,
    "date": _written_date,
    "string": _written_string,
    "token": _written_token,
    "reference": _written_reference,
}


@st.composite
def criteria(draw: st.DrawFn, type: str) -> tuple[str, str]:
    parameter = draw(st.sampled_from(list(RESOURCE_TYPES[type].parameters.values())))
    modifiers = {
        "token": ["", "", "not", "missing"],
        "string": ["", "", "exact", "contains", "missing"],
        "reference": ["", "", "missing", *parameter.targets[:1]],
        "date": ["", "", "missing"],
        "id": [""],
    }[parameter.type]
    modifier = draw(st.sampled_from(modifiers))
    values = [_written(draw, parameter, modifier) for _ in range(draw(st.integers(1, 2)))]
    return (f"{parameter.code}:{modifier}" if modifier else parameter.code, ",".join(values))


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Any], tuple[tuple[str, str], ...]]:
    """A resource and the pairs of a search for its type."""
    type = draw(st.sampled_from(list(ELEMENTS)))
    return draw(resources(type)), tuple(draw(st.lists(criteria(type), min_size=1, max_size=3)))
