"""Random searches of a store: every kind of parameter, prefix, modifier, chain, order, page and include that its types have.

`question(random, world, asker)` is one search; `features` says what it is made of, so
that a run can tell what it has covered.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from tests.e2e.differential import vocabulary as v
from tests.e2e.differential.codes import PARENTS, VALUE_SETS
from tests.e2e.differential.criteria import coded
from tests.e2e.differential.table import COMPARTMENTS, TABLE, Known
from tests.e2e.differential.values import PREFIXES, elements, texts
from tests.e2e.differential.world import Asked, Asker, Pair, World

PHONES = ("phone", "email", "telecom")
FOREIGN = "https://other.example/fhir"
TYPES = (*TABLE, *["Observation"] * 5, "Patient", "Patient", "Encounter", "Condition", "RiskAssessment", "RiskAssessment", "Group")
NARROW_TYPES = ("Observation", "Observation", "Patient", "Encounter", "Organization", "Device", "Provenance")
SHARED = ("identifier", "name", "_id", "_lastUpdated", "_tag", "_profile", "address-city")
"""Parameters that mean the same in every type that has them: what a chain without types may end in."""
SET_MODIFIERS = ("in", "not-in", "above", "below")
MODIFIERS: dict[str, tuple[str, ...]] = {
    "concept": ("not", "text", *SET_MODIFIERS),
    "code": ("not", *SET_MODIFIERS),
    "Identifier": ("not", "text", "of-type"),
    "id": (),
    "string": ("exact", "contains"),
    "uri": ("below", "above", "contains"),
    "reference": ("identifier", "[type]"),
}
WEIGHTS = {"token": 4, "uri": 1, "number": 6, "quantity": 4, "composite": 4}
HOPS_MAX = 3
PAGES_MAX = 4
PAGE_SIZES = (1, 2, 3, 5, 8, 13, 20)


@dataclass(frozen=True)
class Question:
    """Pages are all followed forwards, then back."""

    asker: Asker
    asked: Asked

    def without(self, place: int) -> "Question":
        pairs = self.asked.pairs
        return replace(self, asked=replace(self.asked, pairs=pairs[:place] + pairs[place + 1 :]))

    def with_value(self, place: int, value: str) -> "Question":
        pairs = self.asked.pairs
        return replace(self, asked=replace(self.asked, pairs=(*pairs[:place], (pairs[place][0], value), *pairs[place + 1 :])))

    def features(self) -> Iterator[str]:
        for name, value in self.asked.pairs:
            yield from _features(self.asked.types[0], name, value)
        if len(self.asked.criteria) > 1:
            yield "several parameters"
        if self.asked.everywhere:
            yield "several types"
        if self.asked.within:
            yield f"compartment of a {self.asked.within.partition('/')[0]}"


def escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in ",|$\\" else c for c in text)


def question(random: Random, world: World, asker: Asker) -> Question:
    made = Maker(random, world, asker)
    if random.random() < 0.08:
        return Question(asker, made.everywhere())
    type = random.choice(TYPES if asker.name != "narrow" or random.random() < 0.2 else NARROW_TYPES)
    pairs = [made.criterion(type) for _ in range(random.choice((0, 1, 1, 1, 1, 1, 1, 2, 2, 3)))]
    if random.random() < 0.08:  # the same parameter twice: both hold
        known = TABLE[type][random.choice(list(TABLE[type]))]
        pairs += [(known.code, made.value(known, "", type)) for _ in range(2)]
    pairs += made.along(type)
    asked = Asked((type,), tuple(pairs), within=made.compartment(type) if random.random() < 0.08 else "")
    return Question(asker, made.shaped(asked))


class Maker:
    """`asker`: chains of a narrow scope name their types, for what others lead to is not all in this table."""

    def __init__(self, random: Random, world: World, asker: Asker) -> None:
        self.random, self.world, self.asker = random, world, asker
        self.resources = world.by_type

    def pick(self, options: Sequence[str]) -> str:
        return self.random.choice(options)

    def often(self, likelihood: float) -> bool:
        return self.random.random() < likelihood

    # Criteria

    def criterion(self, type: str, hops: int = 0) -> Pair:
        if hops < HOPS_MAX and self.often(0.15 if hops == 0 else 0.3):
            return self.chain(type, hops)
        if hops < HOPS_MAX and self.often(0.12 if hops == 0 else 0.2) and (reverse := self.has(type, hops)):
            return reverse
        return self.plain(self.parameter(type), type)

    def parameter(self, type: str) -> Known:
        """Each kind of parameter as often as the others, whatever their numbers."""
        there = list(TABLE[type].values())
        kinds = sorted({one.type for one in there})
        kind = self.random.choices(kinds, [WEIGHTS.get(kind, 2) for kind in kinds])[0]
        return self.random.choice([one for one in there if one.type == kind])

    def plain(self, known: Known, type: str) -> Pair:
        modifier = ""
        if self.often(0.3):
            modifier = self.pick(("missing", *self.modifiers(known)))
        if modifier == "missing" and known.kind == "id":
            modifier = ""
        if modifier == "[type]":
            modifier = self.pick([one for one in known.targets if one in TABLE] or list(TABLE))
        if modifier == "missing":
            return f"{known.code}:missing", self.pick(("true", "false"))
        values = [self.value(known, modifier, type) for _ in range(self.random.choice((1, 1, 1, 2, 3)))]
        return (f"{known.code}:{modifier}" if modifier else known.code), ",".join(values)

    def modifiers(self, known: Known) -> tuple[str, ...]:
        if known.kind in MODIFIERS:
            return MODIFIERS[known.kind]
        if known.type in ("string", "uri"):
            return MODIFIERS[known.type]
        if known.type == "reference":
            return MODIFIERS["reference"] if known.kind == "Reference" else ()
        return ("not",) if known.type == "token" else ()

    def chain(self, type: str, hops: int) -> Pair:
        references = [
            one for one in TABLE[type].values() if one.kind == "Reference" and (one.targets == () or set(one.targets) & set(TABLE))
        ]
        if not references:
            return self.plain(TABLE[type]["_id"], type)
        known = self.random.choice(references)
        targets = [one for one in known.targets or TABLE if one in TABLE]
        typed = not known.targets or self.often(0.7) or (self.asker.name == "narrow" and len(targets) < len(known.targets))
        if typed:
            target = self.pick(targets)
            name, value = self.criterion(target, hops + 1)
            return f"{known.code}:{target}.{name}", value
        shared = [code for code in SHARED if any(code in TABLE[one] for one in targets)]
        code = self.pick(shared)
        target = next(one for one in targets if code in TABLE[one])
        name, value = self.plain(TABLE[target][code], target)
        return f"{known.code}.{name}", value

    def has(self, type: str, hops: int) -> Pair | None:
        ways = [
            (source, one.code)
            for source, rows in TABLE.items()
            for one in rows.values()
            if one.kind == "Reference" and (not one.targets or type in one.targets)
        ]
        if not ways:
            return None
        source, code = self.random.choice(ways)
        name, value = self.criterion(source, hops + 1)
        return f"_has:{source}:{code}:{name}", value

    # Values

    def value(self, known: Known, modifier: str, type: str) -> str:
        if known.type == "composite":
            return "$".join(self.value(part, "", type) for part in known.parts)
        makers: dict[str, Callable[[Known, str], str]] = {
            "date": self.date,
            "number": lambda *_: self.prefix() + self.pick(v.ASKED_NUMBERS),
            "quantity": lambda *_: self.prefix() + self.pick(v.ASKED_VALUES) + self.pick(v.ASKED_UNITS),
            "string": self.string,
            "uri": self.uri,
            "reference": self.reference,
            "token": self.token,
        }
        if known.kind == "id":
            return self.id(type)
        if modifier in ("", "not", "exact") and self.often(0.5) and (stored := self.stored(known, type)):
            return stored
        return makers[known.type](known, modifier)

    def stored(self, known: Known, type: str) -> str | None:
        """What stands somewhere in the store, so that something is found."""
        there = [element for one in self.resources.get(type, ()) for element in elements(known, one)]
        element = self.random.choice(there) if there else None
        if element is None or known.kind in ("boolean", "deceased", "canonical"):
            return None
        match known.type:
            case "date":
                written = element if isinstance(element, str) else element.get("start", element.get("end"))
                return self.prefix() + self.pick((written, written[:10], written[:7])) if written else None
            case "number" | "quantity":
                return self.number(element)
            case "string":
                written = self.pick(texts(known.kind, element) or ["x"])
                return escaped(written)
            case "reference":
                named = self.world.judge.named(element.get("reference", "#"))
                return None if named is None or (known.targets and named.split("/")[-2] not in known.targets) else named
            case "token":
                found = [(system, code) for systems, code in coded(known, element) for system in systems]
                system, code = self.random.choice(found or [("", "x")])
                return escaped(code) if self.often(0.5) or known.kind in PHONES else f"{escaped(system)}|{escaped(code)}"
        return escaped(str(element))

    def number(self, element: Any) -> str | None:
        found = element if not isinstance(element, dict) else element.get("value")
        if found is None:
            return None
        unit = element if isinstance(element, dict) else {}
        code = f"|{unit['system']}|{unit['code']}" if "system" in unit and self.often(0.6) else ""
        return f"{self.prefix()}{found}{code}"

    def prefix(self) -> str:
        return self.pick(("", "", *PREFIXES))

    def id(self, type: str) -> str:
        return self.pick([name for name in self.world.current if name.startswith(f"{type}/")] or ["x/none"]).partition("/")[2]

    def date(self, known: Known, _modifier: str) -> str:
        if known.kind == "instant" and known.code == "_lastUpdated":
            updated = [one["meta"]["lastUpdated"] for one in self.world.current.values()]
            text = self.pick(updated)
            return self.prefix() + self.pick((text, text[:19] + "Z", text[:16] + "Z", text[:10], text[:7], "2026"))
        return self.prefix() + self.pick(v.BIRTHS if known.code == "birthdate" else v.ASKED_DATES)

    def string(self, known: Known, modifier: str) -> str:
        options = v.CITIES if known.code.startswith("address") else v.WORDS
        text = self.pick((*options, "69003", "France") if known.code.startswith("address") else options)
        if self.often(0.15):
            text += " " + self.pick(options)
        if modifier != "exact":
            text = text[: self.random.choice((1, 3, 6, 8, 9, 99))].strip("-' ") or "d"
            text = self.pick((text, text.upper(), text.replace("-", " "), text.replace("É", "e").replace("é", "e")))
        return escaped(text)

    def uri(self, known: Known, _modifier: str) -> str:
        return escaped(self.pick((*v.PROFILES, "http://example.org/p") if known.code == "_profile" else (*v.URLS, "http://a.example")))

    def reference(self, known: Known, modifier: str) -> str:
        if known.kind == "canonical":
            return escaped(self.pick(v.CANONICALS))
        if modifier == "identifier":
            return self.pick(("4711", "urn:mrn|4711", "|4711", "urn:mrn|4711a", "urn:mrn|"))
        types = [modifier] if modifier else [one for one in known.targets or TABLE if one in TABLE]
        type = self.pick(types)
        id = self.id(type)
        forms = [f"{type}/{id}"] * 3 + [f"{self.world.base}/{type}/{id}", f"{FOREIGN}/{type}/{id}"]
        return self.pick(forms + ([id, id] if known.targets or modifier else []))

    def token(self, known: Known, modifier: str) -> str:
        match modifier:
            case "text":
                return escaped(self.pick((*v.WORDS, "gluc", "ete", "ile")))
            case "of-type":
                coding = self.random.choice([one for one in v.CODINGS if "system" in one])
                return "|".join(escaped(one) for one in (coding["system"], coding["code"], self.pick(v.IDENTIFIER_VALUES)))
            case "in" | "not-in":
                return self.pick(list(VALUE_SETS))
            case "above" | "below":
                system, code = self.random.choice(
                    [(one, each) for pair, above in PARENTS.items() for one in pair[:1] for each in (pair[1], above)]
                )
                return f"{system}|{code}"
        if known.kind in ("boolean", "deceased"):
            return self.pick(("true", "false"))
        pairs = [*self.pairs_of(known)]
        system, code = self.random.choice(pairs)
        if known.kind in PHONES:
            return escaped(code)
        forms = [escaped(code)] * 2 + [f"{escaped(system)}|{escaped(code)}"] * 2 + ([f"{escaped(system)}|"] if system else [])
        return self.pick(forms)

    def pairs_of(self, known: Known) -> Iterator[tuple[str, str]]:
        """What may be asked of its kind: what is stored, and some that is not."""
        if known.kind == "code":
            codes = (
                "active",
                "final",
                "amended",
                "finished",
                "female",
                "male",
                "home",
                "order",
                "filler-order",
                "stat",
                "person",
                "inactive",
            )
            yield from ((self.pick((known.system or "", "", v.LOCAL)), code) for code in codes)
            return
        if known.kind == "Identifier":
            yield from ((system or "", value) for system in v.IDENTIFIER_SYSTEMS for value in v.IDENTIFIER_VALUES)
            return
        if known.kind in PHONES:
            yield from (("", one) for one in v.PHONES)
            return
        special = {"clinical-status": v.CLINICAL_STATUS, "verification-status": v.VERIFICATION_STATUS, "class": v.CLASSES, "_tag": v.TAGS}
        vital = tuple({"system": v.LOINC, "code": code} for code in ("8867-4", "29463-7", "85354-9", "8480-6", "8462-4"))
        categories = tuple({"system": v.CATEGORY, "code": code} for code in ("vital-signs", "laboratory"))
        codings = special.get(known.code) or (*v.CODINGS, *vital) if known.code != "category" else (*categories, *v.CODINGS[:3])
        yield from ((one.get("system", ""), one["code"]) for one in codings)

    # The answer's shape

    def everywhere(self) -> Asked:
        """Several types at once, by what all of them have."""
        types = self.random.sample(NARROW_TYPES[1:] if self.asker.name == "narrow" else list(TABLE), self.random.choice((1, 2, 3, 4)))
        shared = [code for code in SHARED if all(code in TABLE[type] for type in types)]
        pairs = [self.plain(TABLE[types[0]][self.pick(shared)], types[0]) for _ in range(self.random.choice((0, 1, 1, 2)))]
        along = [("_include", "*"), ("_revinclude", "Provenance:target"), ("_include:iterate", "Encounter:*")]
        pairs += [self.random.choice(along)] if self.often(0.2) else []
        return self.shaped(Asked(tuple(types), (("_type", ",".join(types)), *pairs), everywhere=True))

    def compartment(self, type: str) -> str:
        """One of a kind in which this type may lie, or ""."""
        kinds = [kind for kind, types in COMPARTMENTS.items() if type in types]
        there = [name for kind in kinds for name in self.world.current if name.startswith(f"{kind}/")]
        return self.pick(there) if there else ""

    def shaped(self, asked: Asked) -> Asked:
        sorted_by = None if asked.everywhere else asked.types[0]
        return replace(asked, pairs=(*asked.pairs, *self.shape(sorted_by, self.world.matching(self.asker, asked))))

    def shape(self, type: str | None, matching: int) -> list[Pair]:
        made: list[Pair] = []
        if type is not None and self.often(0.35):
            made.append(("_sort", ",".join(self.sort_keys(type))))
        if self.often(0.06):
            return [*made, self.random.choice((("_summary", "count"), ("_count", "0")))]
        if self.often(0.2):  # of a few pages, for each of them is asked twice
            made.append(
                ("_count", str(self.random.choice([size for size in PAGE_SIZES if size * PAGES_MAX >= matching] or PAGE_SIZES[-1:])))
            )
        if self.often(0.35):
            made.append(("_total", self.random.choice(("accurate", "accurate", "none"))))
        return made

    def sort_keys(self, type: str) -> list[str]:
        codes = [one.code for one in TABLE[type].values() if one.type not in ("reference", "composite")]
        return [self.pick(("", "-")) + code for code in self.random.sample(codes, self.random.choice((1, 1, 2, 3)))]

    # What comes along

    def along(self, type: str) -> list[Pair]:
        if self.often(0.75):
            return []
        return [self.include(type) if self.often(0.55) else self.reverse_include(type) for _ in range(self.random.choice((1, 1, 2, 3)))]

    def include(self, type: str) -> Pair:
        iterate = self.often(0.3)
        if self.often(0.15):
            return ("_include:iterate" if iterate else "_include"), "*"
        source = self.pick(list(TABLE)) if iterate else type
        known = self.follow(source)
        if known is None:
            return "_include", f"{type}:*"
        return (self.pick(("_include:iterate", "_include:recurse")) if iterate else "_include"), self.written(source, known, None)

    def reverse_include(self, type: str) -> Pair:
        iterate = self.often(0.3)
        ways = [
            (source, one)
            for source, rows in TABLE.items()
            for one in rows.values()
            if one.kind == "Reference" and (iterate or not one.targets or type in one.targets)
        ]
        source, known = self.random.choice(ways)
        return ("_revinclude:iterate" if iterate else "_revinclude"), self.written(source, known, None if iterate else type)

    def follow(self, source: str) -> Known | None:
        ways = [one for one in TABLE[source].values() if one.kind == "Reference"]
        return self.random.choice(ways) if ways else None

    def written(self, source: str, known: Known, target: str | None) -> str:
        """`target`: the only type that may be named."""
        if self.often(0.1):
            return f"{source}:*"
        named = target or self.pick([one for one in known.targets or TABLE if one in TABLE] or ["Patient"])
        return f"{source}:{known.code}" + (f":{named}" if self.often(0.3) else "")


def _features(type: str, name: str, value: str) -> Iterator[str]:
    if name in ("_sort", "_count", "_total", "_summary", "_type") or name.startswith(("_include", "_revinclude")):
        yield name
        if name == "_sort":
            yield from ("_sort several" for _ in range("," in value))
            yield f"_sort {'down' if value.startswith('-') else 'up'}"
        return
    if name.startswith("_has:"):
        yield "_has"
        _, source, _, rest = name.split(":", 3)
        yield from (f"{'nested ' if one in ('_has', 'chain') else ''}{one}" for one in _features(source, rest, value))
        return
    if "." in name:
        yield "chain"
        yield from _features("", name.partition(".")[2], value)
        return
    code, _, modifier = name.partition(":")
    known = TABLE[type][code] if type else next(rows[code] for rows in TABLE.values() if code in rows)
    yield known.type
    if modifier:
        yield f"{known.type}:{modifier if modifier.islower() else '[type]'}"
    if "," in value.replace("\\,", ""):
        yield "alternatives"
    if known.type in ("date", "number", "quantity") and modifier != "missing":
        yield from (f"{known.type} {one[:2] if one[:2] in PREFIXES else 'eq'}" for one in value.split(","))
    if name.startswith("_"):
        yield code
