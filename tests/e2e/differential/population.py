"""A store full of resources, invented at random: valid, with what is searched by in every shape that R4 allows.

`Population(random).contents()` is everything in the order in which it has to be written, references to what is there already.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from string import ascii_letters, digits
from typing import Any

from tests.e2e.differential import vocabulary as v
from tests.e2e.differential.codes import UCUM

Json = dict[str, Any]
ELSEWHERE = "https://other.example/fhir"
COUNTS = {
    "Organization": 5,
    "Practitioner": 5,
    "Location": 5,
    "Patient": 12,
    "Device": 7,
    "Group": 4,
    "ServiceRequest": 14,
    "Condition": 18,
    "Encounter": 18,
    "Observation": 60,
    "DiagnosticReport": 14,
    "MedicationStatement": 12,
    "RiskAssessment": 12,
}
SUBJECTED = ("Condition", "DiagnosticReport", "Encounter", "MedicationStatement", "Observation", "RiskAssessment", "ServiceRequest")


@dataclass
class Population:
    """`base`: the FHIR base. `names`: what there is already, "Type/id" by type."""

    random: Random
    base: str
    names: dict[str, list[str]] = field(default_factory=dict)

    def new_id(self) -> str:
        """As the hub gives them, or as another system does."""
        if self.often(0.15):
            return "".join(self.random.choices(ascii_letters + digits + "-.", k=8)) + "-"
        return self.own_id()

    def own_id(self) -> str:
        return "".join(self.random.choices(ascii_letters + digits, k=22))

    def contents(self) -> Iterator[Json]:
        for type, count in COUNTS.items():
            for _ in range(count):
                made = {"resourceType": type, "id": self.new_id(), **self.make(type)}
                self.names.setdefault(type, []).append(f"{type}/{made['id']}")
                yield made

    def provenances(self, count: int = 14) -> Iterator[Json]:
        """Last of all, when what they are about does not change any more."""
        for _ in range(count):
            yield {"resourceType": "Provenance", "id": self.new_id(), **self.provenance()}

    def changed(self, resource: Json) -> Json:
        """Another version of it, about the same patient."""
        kept = {name: resource[name] for name in ("resourceType", "id", "subject", "patient") if name in resource}
        made = self.make(resource["resourceType"])
        if resource["resourceType"] == "Observation" and "Patient/" not in resource["subject"]["reference"]:
            made = {"status": "final", **self.finding()}  # a vital sign is somebody's
        return {**made, **kept}

    def make(self, type: str) -> Json:
        makers: dict[str, Callable[[], Json]] = {
            "Organization": self.organization,
            "Practitioner": self.person,
            "Location": self.location,
            "Patient": self.patient,
            "Device": self.device,
            "Group": self.group,
            "ServiceRequest": self.service_request,
            "Condition": self.condition,
            "Encounter": self.encounter,
            "Observation": self.observation,
            "DiagnosticReport": self.report,
            "MedicationStatement": self.medication,
            "RiskAssessment": self.risk,
        }
        beside = {**self.some(0.3, meta=self.meta), **self.some(0.04, extension=self.extension)}
        made = {**beside, **self.some(0.5, identifier=self.many(self.identifier)), **makers[type]()}
        if type in v.STATUS:
            made.setdefault("status", self.pick(v.STATUS[type]))
        if type in SUBJECTED:
            made.setdefault("subject", self.subject(type))
        return made

    # Choices

    def pick(self, options: Sequence[Any]) -> Any:
        return self.random.choice(options)

    def often(self, likelihood: float) -> bool:
        return self.random.random() < likelihood

    def some(self, likelihood: float, **parts: Callable[[], Any]) -> Json:
        """Some of these elements."""
        made = {name: make() for name, make in parts.items() if self.often(likelihood)}
        return {name: value for name, value in made.items() if value is not None}

    def one(self, likelihood: float, **parts: Callable[[], Any]) -> Json:
        """One of these elements, or none: a choice of types."""
        name = self.pick(list(parts))
        return self.some(likelihood, **{name: parts[name]})

    def many(self, make: Callable[[], Any]) -> Callable[[], list[Any] | None]:
        def made() -> list[Any] | None:
            return [one for one in (make() for _ in range(self.pick((1, 1, 2)))) if one] or None

        return made

    # Data types

    def text(self) -> str:
        return " ".join(self.pick(v.WORDS) for _ in range(self.pick((1, 1, 2))))

    def concept(self) -> Json:
        if self.often(0.1):
            return {"text": self.text()}
        return {"coding": [dict(self.pick(v.CODINGS)) for _ in range(self.pick((1, 1, 2)))], **self.some(0.2, text=self.text)}

    def coded(self, codings: Sequence[Json]) -> Json:
        return {"coding": [dict(self.pick(codings))]}

    def identifier(self) -> Json:
        system = self.pick(v.IDENTIFIER_SYSTEMS)
        made = {"system": system} if system else {}
        return {**made, **self.some(0.9, value=lambda: self.pick(v.IDENTIFIER_VALUES)), **self.some(0.4, type=self.concept)} or {
            "value": "A"
        }

    def contact(self) -> Json:
        return {"system": self.pick(("phone", "email")), "value": self.pick(v.PHONES)}

    def human_name(self) -> Json:
        many = self.many(self.text)
        return self.some(0.6, family=self.text, given=many, text=self.text, prefix=many, suffix=many) or {"family": self.text()}

    def address(self) -> Json:
        city = lambda: self.pick(v.CITIES)  # noqa: E731 (used thrice below)
        return self.some(
            0.6,
            city=city,
            line=self.many(city),
            postalCode=lambda: "69003",
            country=lambda: "France",
            use=lambda: self.pick(("home", "work")),
        ) or {"city": city()}

    def place(self) -> Json:
        """org-2 of R4: nobody's home."""
        return {**self.address(), "use": self.pick(("work", "billing"))}

    def date(self) -> str:
        return str(self.pick(v.DATES))

    def period(self) -> Json:
        first, last = (v.ENDS[place] for place in sorted(self.random.sample(range(len(v.ENDS)), 2)))
        return dict(self.pick(({"start": first, "end": last}, {"start": first, "end": last}, {"start": first}, {"end": last})))

    def timing(self) -> Json:
        return self.pick(
            (
                {"event": [self.pick(v.INSTANTS), self.pick(v.INSTANTS)]},
                {"event": [self.date()]},
                {"code": {"text": "twice a day"}},
            )
        )

    def quantity(self) -> Json:
        made = {"value": self.pick(v.VALUES), **self.pick(v.UNITS)}
        return {**made, **self.some(0.12, comparator=lambda: self.pick(("<", "<=", ">", ">=")))}

    def age(self) -> Json:
        return {"value": self.pick((1, 5, 60)), "system": UCUM, "code": self.pick(("a", "mo"))}

    def ages(self) -> Json:
        """Open on a side, or not, and not always in the same unit."""
        sides = {
            "low": {"value": 1, "system": UCUM, "code": "a"},
            "high": {"value": 60, "system": UCUM, "code": self.pick(("a", "a", "mo"))},
        }
        return self.some(0.8, low=lambda: sides["low"], high=lambda: sides["high"]) or {"low": sides["low"]}

    def meta(self) -> Json | None:
        tags = self.many(lambda: dict(self.pick(v.TAGS)))
        return self.some(0.6, tag=tags, security=tags, profile=lambda: [self.pick(v.PROFILES)], source=lambda: self.pick(v.URLS)) or None

    def extension(self) -> list[Json] | None:
        """Somebody is named where no parameter looks: that patient must permit too."""
        patient = self.refer("Patient")
        return [{"url": "urn:x", "valueReference": patient}] if patient else None

    # References

    def refer(self, *types: str) -> Json | None:
        """To something that is there, in any of the forms of https://hl7.org/fhir/R4/references.html#literal."""
        known = [name for type in types for name in self.names.get(type, [])]
        if not known:
            return None
        name = self.pick(known)
        if name.startswith("Patient/"):
            return {"reference": self.pick((name, name, f"{self.base}/{name}"))}
        forms = [name] * 6 + [f"{self.base}/{name}", f"{name}/_history/1", f"{ELSEWHERE}/{name}", None]
        reference = self.pick(forms)
        if reference is None:
            return {"identifier": {"system": "urn:mrn", "value": self.pick(v.IDENTIFIER_VALUES[:2])}}
        return {"reference": reference, **self.some(0.1, identifier=lambda: {"value": "4711"}, display=self.text)}

    def to(self, *types: str) -> Callable[[], Json | None]:
        return lambda: self.refer(*types)

    def to_any(self) -> Json | None:
        return self.near("Observation", "Device", "Location", "Group")

    def those(self, *types: str) -> Callable[[], list[Json] | None]:
        return self.many(self.to(*types))

    def subject(self, type: str) -> Json | None:
        """A place may be observed too: then it is nobody's."""
        if type in ("Observation", "ServiceRequest", "DiagnosticReport") and self.often(0.06):
            return self.near("Location")
        return self.refer("Patient")

    def near(self, *types: str) -> Json | None:
        return {"reference": self.pick([name for type in types for name in self.names[type]])}

    # Resources

    def organization(self) -> Json:
        return {
            "name": self.text(),
            **self.some(0.5, alias=self.many(self.text), type=self.many(self.concept), address=self.many(self.place), active=self.truth),
            **self.some(0.6, partOf=self.house),
        }

    def house(self) -> Json | None:
        if not self.names.get("Organization"):
            return None
        name = self.pick(self.names["Organization"])
        return {"reference": self.pick((name, name, f"{self.base}/{name}", f"{name}/_history/1"))}

    def truth(self) -> bool:
        return self.often(0.5)

    def person(self) -> Json:
        return self.some(
            0.6,
            active=self.truth,
            name=self.many(self.human_name),
            telecom=self.many(self.contact),
            address=self.many(self.address),
            gender=lambda: self.pick(("female", "male")),
        )

    def patient(self) -> Json:
        dead = self.one(0.4, deceasedBoolean=self.truth, deceasedDateTime=lambda: self.pick(v.DATES[:12]))
        language = lambda: [{"language": self.concept()}]  # noqa: E731 (an element of an element)
        links = lambda: [{"other": self.refer("Patient"), "type": "seealso"}] if self.names.get("Patient") else None  # noqa: E731
        return {
            **self.person(),
            **dead,
            **self.some(0.8, birthDate=lambda: self.pick(v.BIRTHS)),
            **self.some(0.4, generalPractitioner=self.those("Practitioner", "Organization"), communication=language),
            **self.some(0.1, link=links),
        }

    def location(self) -> Json:
        status = {"system": "http://terminology.hl7.org/CodeSystem/v2-0116", "code": "O"}
        return self.some(
            0.6,
            name=self.text,
            alias=self.many(self.text),
            type=self.many(self.concept),
            address=self.address,
            operationalStatus=lambda: dict(status),
            managingOrganization=self.to("Organization"),
            partOf=lambda: self.refer("Location"),
        )

    def device(self) -> Json:
        names = self.many(lambda: {"name": self.text(), "type": "user-friendly-name"})
        return {
            **self.some(0.5, deviceName=names, manufacturer=self.text, modelNumber=self.text, type=self.concept),
            **self.some(0.5, url=lambda: self.pick(v.URLS), owner=self.to("Organization"), location=self.to("Location")),
            **self.some(0.4, patient=self.to("Patient")),
        }

    def group(self) -> Json:
        value = lambda: self.one(1, valueCodeableConcept=self.concept, valueBoolean=self.truth)  # noqa: E731 (an element of an element)
        characteristic = lambda: {"code": self.concept(), "exclude": self.truth(), **value()}  # noqa: E731
        return {
            "type": "person",
            "actual": True,
            **self.some(0.6, characteristic=self.many(characteristic), code=self.concept, managingEntity=self.to("Organization")),
            "member": [{"entity": self.refer("Patient", "Practitioner")}],
        } | ({} if self.often(0.5) else {"member": [{"entity": self.refer("Practitioner")}]})

    def service_request(self) -> Json:
        return {
            "intent": self.pick(("order", "original-order", "filler-order", "plan")),
            **self.some(0.6, authoredOn=self.date, code=self.concept, category=self.many(self.concept)),
            **self.some(
                0.4, priority=lambda: self.pick(("routine", "stat")), bodySite=self.many(self.concept), requisition=self.identifier
            ),
            **self.some(0.4, instantiatesUri=lambda: [self.pick(v.URLS)], instantiatesCanonical=lambda: [self.pick(v.CANONICALS)]),
            **self.one(0.6, occurrenceDateTime=self.date, occurrencePeriod=self.period, occurrenceTiming=self.timing),
            **self.some(0.5, requester=self.to("Practitioner", "Organization", "Device"), performer=self.those("Practitioner", "Patient")),
            **self.some(0.3, basedOn=self.those("ServiceRequest"), replaces=self.those("ServiceRequest")),
        }

    def condition(self) -> Json:
        evidence = lambda: {"code": [self.concept()], **self.some(0.6, detail=self.those("Observation", "Condition"))}  # noqa: E731
        return {
            "clinicalStatus": self.coded(v.CLINICAL_STATUS[:3]),
            "verificationStatus": self.coded(v.VERIFICATION_STATUS),
            **self.some(0.6, code=self.concept, severity=self.concept, recordedDate=self.date, bodySite=self.many(self.concept)),
            **self.some(
                0.5, category=lambda: [self.coded([{"system": v.CONDITION_CATEGORY, "code": "problem-list-item"}, *v.CODINGS[:2]])]
            ),
            **self.one(
                0.8, onsetDateTime=self.date, onsetPeriod=self.period, onsetAge=self.age, onsetRange=self.ages, onsetString=self.text
            ),
            **self.some(0.4, asserter=self.to("Practitioner", "Patient"), encounter=self.to("Encounter"), evidence=self.many(evidence)),
            **self.ended(),
        }

    def ended(self) -> Json:
        """con-4 of R4: what has abated is not active any more."""
        if self.often(0.6):
            return {}
        abated = self.one(1, abatementDateTime=self.date, abatementPeriod=self.period)
        return {**abated, "clinicalStatus": self.coded(v.CLINICAL_STATUS[3:])}

    def encounter(self) -> Json:
        length = lambda: {"value": self.pick((1, 24, 60, 90)), "system": UCUM, "code": self.pick(v.DURATIONS), "unit": "x"}  # noqa: E731
        location = lambda: {"location": self.near("Location"), **self.some(0.5, period=self.period)}  # noqa: E731
        participant = lambda: {"individual": self.near("Practitioner"), **self.some(0.5, type=self.many(self.concept))}  # noqa: E731
        return {
            "class": dict(self.pick(v.CLASSES)),
            **self.some(0.7, period=self.period),
            **self.some(0.5, type=self.many(self.concept), length=length, location=self.many(location), participant=self.many(participant)),
            **self.some(
                0.4, serviceProvider=self.to("Organization"), basedOn=self.those("ServiceRequest"), reasonCode=self.many(self.concept)
            ),
            **self.some(0.4, reasonReference=self.those("Condition"), diagnosis=self.diagnoses, partOf=self.to("Encounter")),
        }

    def diagnoses(self) -> list[Json] | None:
        return [{"condition": self.near("Condition")}] if self.names.get("Condition") else None

    def observation(self) -> Json:
        return self.vital() if self.often(0.35) else self.finding()

    def vital(self) -> Json:
        """As FHIR's vital signs want them: their codes, their units, a day at least."""
        category = {"coding": [{"system": v.CATEGORY, "code": "vital-signs"}]}
        when = self.one(1, effectiveDateTime=lambda: self.pick(v.DAYS), effectivePeriod=self.period)
        code, units = self.pick((("8867-4", ("/min",)), ("29463-7", ("kg", "g")), ("8310-5", ("Cel",)), ("85354-9", ())))
        made = {"category": [category], "code": {"coding": [{"system": v.LOINC, "code": code}]}, **when, **self.beside()}
        made["subject"] = self.refer("Patient")
        if not units:
            return {**made, "component": [self.pressure("8480-6"), self.pressure("8462-4")]}
        unit = self.pick(units)
        return {**made, "valueQuantity": {"value": self.pick(v.VALUES), "system": UCUM, "code": unit, "unit": unit}}

    def pressure(self, code: str) -> Json:
        value = {"value": self.pick((60, 80, 99.5, 110, 120)), "system": UCUM, "code": "mm[Hg]", "unit": "mmHg"}
        return {"code": {"coding": [{"system": v.LOINC, "code": code}]}, "valueQuantity": value}

    def finding(self) -> Json:
        category = lambda: [self.coded([{"system": v.CATEGORY, "code": "laboratory"}, *v.CODINGS[:3]])]  # noqa: E731
        value = self.one(
            0.8,
            valueQuantity=self.quantity,
            valueCodeableConcept=self.concept,
            valueString=self.text,
            valueDateTime=self.date,
            valuePeriod=self.period,
        )
        component = lambda: {"code": self.concept(), **self.one(0.9, valueQuantity=self.quantity, valueCodeableConcept=self.concept)}  # noqa: E731
        when = self.one(
            0.9,
            effectiveDateTime=self.date,
            effectivePeriod=self.period,
            effectiveTiming=self.timing,
            effectiveInstant=lambda: self.pick(v.INSTANTS),
        )
        absent = {} if value else self.some(0.5, dataAbsentReason=self.concept)
        parts = {} if value else self.some(0.7, component=lambda: [component() for _ in range(self.pick((1, 2, 3)))])
        return {"code": self.concept(), **self.some(0.7, category=category), **value, **absent, **parts, **when, **self.beside()}

    def beside(self) -> Json:
        return {
            **self.some(0.4, performer=self.those("Practitioner", "Organization"), device=self.to("Device"), method=self.concept),
            **self.some(0.3, encounter=self.to("Encounter"), basedOn=self.those("ServiceRequest")),
            **self.some(0.2, hasMember=self.those("Observation"), derivedFrom=self.those("Observation")),
            **self.some(0.1, focus=self.those("Device", "Encounter", "Practitioner")),
            **({"performer": [self.refer("Patient")]} if self.often(0.06) else {}),
        }

    def report(self) -> Json:
        return {
            "code": self.concept(),
            **self.some(0.6, category=self.many(self.concept), result=self.those("Observation"), issued=lambda: self.pick(v.INSTANTS)),
            **self.one(0.8, effectiveDateTime=self.date, effectivePeriod=self.period),
            **self.some(0.4, performer=self.those("Practitioner", "Organization"), resultsInterpreter=self.those("Practitioner")),
            **self.some(0.4, encounter=self.to("Encounter"), basedOn=self.those("ServiceRequest"), conclusionCode=self.many(self.concept)),
        }

    def medication(self) -> Json:
        return {
            "medicationCodeableConcept": self.concept(),
            **self.some(
                0.5, category=self.concept, context=self.to("Encounter"), informationSource=self.to("Practitioner", "Organization")
            ),
            **self.one(0.8, effectiveDateTime=self.date, effectivePeriod=self.period),
            **self.some(0.3, partOf=self.those("Observation", "MedicationStatement")),
        }

    def risk(self) -> Json:
        limits = lambda: {"low": {"value": self.pick((0.1, 0.25))}, "high": {"value": self.pick((0.5, 0.9))}}  # noqa: E731
        chances = lambda: self.one(0.9, probabilityDecimal=lambda: self.pick(v.NUMBERS), probabilityRange=limits)  # noqa: E731
        return {
            **self.some(0.6, occurrenceDateTime=self.date, method=self.concept, condition=self.to("Condition")),
            **self.some(0.5, performer=self.to("Practitioner", "Device"), encounter=self.to("Encounter")),
            **self.some(0.8, prediction=self.many(lambda: {**chances(), **self.some(0.5, qualitativeRisk=self.concept)})),
        }

    def provenance(self) -> Json:
        def agent() -> Json:
            return {"who": self.near("Practitioner", "Organization"), **self.some(0.5, type=self.concept, role=self.many(self.concept))}

        def entity() -> Json | None:
            return {"role": "source", "what": self.near("Observation", "Encounter", "Device")}

        return {
            **self.some(0.3, meta=self.meta),
            "target": [self.near("Condition", "Encounter", "Patient"), *self.some(0.4, other=self.to_any).values()],
            "recorded": self.pick(v.INSTANTS),
            "agent": [agent()],
            **self.some(0.5, occurredDateTime=self.date, location=self.to("Location"), entity=self.many(entity)),
        }
