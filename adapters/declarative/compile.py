"""The model of a mapping -> rules ready to run; what cannot be run is said with its place."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from types import MappingProxyType

from adapters.decimal_text import written_decimal
from adapters.declarative import json_path, model, terms, time_format
from adapters.declarative.conditions import Condition
from adapters.declarative.csv_source import ROW
from adapters.declarative.expressions import DOCUMENT, RECORD, Expression, compiled, constant
from adapters.declarative.failure import Path as Place
from adapters.declarative.failure import Unusable
from adapters.declarative.json_path import Each
from adapters.declarative.paths import Path, crosses, mask_of
from adapters.declarative.rules import (
    Chain,
    CircumstanceSpec,
    CorrelationSpec,
    DropSpec,
    FlagSpec,
    ReadingSpec,
    RuleSpec,
    VocabularySpec,
)
from adapters.declarative.times import TimeSpec
from adapters.declarative.values import Absents, CodeSpec, NumberSpec, Sentinel, StripSpec, Table
from adapters.reading import Coded, TimeKind
from fhir_profiles.catalogue import Measure

_SPLITS: Mapping[str | None, str | None] = {None: None, "blank": None, "comma": ",", "semicolon": ";"}
_ROW_STEP = [{ROW: f"$.{ROW}"}]
Steps = tuple[tuple[str, str], ...]


@dataclass(slots=True)
class Compiled:
    """A mapping's rules by the place of their records, the conditions for the whole document, and what they can give."""

    chains: tuple[Chain, ...]
    accept: tuple[Condition, ...]
    measures: tuple[str, ...]
    time_kinds: tuple[TimeKind, ...]


@dataclass(slots=True)
class _Scope:
    """Compiles the expressions of one chain and remembers what they read, by step."""

    names: tuple[str, ...]
    reads: dict[str, list[Path]] = field(default_factory=dict)
    kinds: set[TimeKind] = field(default_factory=set)

    def expression(self, source: model.Source, at: Place) -> Expression:
        match source:
            case model.Constant(literal=text):
                return constant(text)
            case model.JmesPath(jmespath=text, of=of):
                made = compiled(text, (*at, "jmespath"), scope=self._named(of, at), jmespath=True)
            case str():
                made = compiled(source, at)
        named = self._named(made.scope, at)
        if named != made.scope:
            made = Expression(scope=named, reads=made.reads, value=made.value, location=made.location)
        self.reads.setdefault(named, []).extend(made.reads)
        return made

    def expressions(self, sources: "model.Source | Sequence[model.Source] | None", at: Place) -> tuple[Expression, ...]:
        if sources is None:
            return ()
        if isinstance(sources, str | model.JmesPath | model.Constant):
            return (self.expression(sources, at),)
        return tuple(self.expression(source, (*at, index)) for index, source in enumerate(sources))

    def conditions(self, given: model.Conditions, at: Place) -> tuple[Condition, ...]:
        return tuple(_condition(self.expression(source, (*at, source)), wanted) for source, wanted in given.items())

    def table(self, given: model.Looked, at: Place) -> Table:
        return Table(self.expression(given.from_, (*at, "from")), MappingProxyType(given.table))

    def _named(self, scope: str, at: Place) -> str:
        """Return the scope under which records know it: the last step is the record itself."""
        if scope == RECORD or (self.names and scope == self.names[-1]):
            return RECORD
        if scope == DOCUMENT:
            return DOCUMENT if self.names else RECORD
        if scope not in self.names:
            known = ", ".join(f"${name}" for name in (*self.names, DOCUMENT))
            raise Unusable(at, f"There is no step ${scope} in `foreach`; an expression begins with $. or one of {known}.")
        return scope


def compile_mapping(mapping: model.Mapping) -> Compiled:
    """Compile. Raises Unusable for the first thing that is wrong."""
    by_steps: dict[Steps, list[tuple[int, model.Rule]]] = {}
    for index, rule in enumerate(mapping.rules):
        by_steps.setdefault(_steps(mapping, rule, ("rules", index, "foreach")), []).append((index, rule))
    whole = _Scope(())
    accept = whole.conditions(mapping.accept, ("accept",))
    kinds: set[TimeKind] = set()
    chains = tuple(_chain(mapping, steps, rules, whole.reads.get(RECORD, []), kinds) for steps, rules in by_steps.items())
    measures = {reading.measure for rule in mapping.rules for reading in rule.readings}
    return Compiled(chains, accept, tuple(sorted(measures)), tuple(sorted(kinds)))


def _steps(mapping: model.Mapping, rule: model.Rule, at: Place) -> Steps:
    if isinstance(mapping.input, model.Csv):
        if rule.foreach is not None:
            raise Unusable(at, "Each row of a table is a record already; leave `foreach` out.")
        given: Sequence[Mapping[str, str]] = _ROW_STEP
    else:
        given = [{"record": rule.foreach}] if isinstance(rule.foreach, str) else rule.foreach or []
    if any(len(step) != 1 for step in given):
        raise Unusable(at, "Each step of `foreach` is one name and one expression: - device: $.devices[*]")
    steps = tuple(item for step in given for item in step.items())
    names = [name for name, _ in steps]
    if len(set(names)) != len(names) or DOCUMENT in names:
        raise Unusable(at, "The steps of `foreach` need names of their own, and none may be `document`.")
    return steps


def _chain(mapping: model.Mapping, steps: Steps, rules: list[tuple[int, model.Rule]], accepted: list[Path], kinds: set[TimeKind]) -> Chain:
    at: Place = ("rules", rules[0][0], "foreach")
    scope = _Scope(tuple(name for name, _ in steps))
    each = tuple(json_path.each(query, at) for _, query in steps)
    made = tuple(_rule(scope, rule, mapping.defaults, ("rules", index)) for index, rule in rules)
    if isinstance(mapping.input, model.Csv):
        scope.reads.setdefault(RECORD, []).extend((name,) for name in mapping.input.header)
    kinds |= scope.kinds
    nodes = (DOCUMENT, *scope.names[:-1], RECORD) if steps else (RECORD,)
    reads = [list(scope.reads.get(node, [])) for node in nodes]
    reads[0] += accepted
    for step, found in zip(each, reads[1:], strict=False):
        found.extend(step.reads)
    _check_crossing(each, reads, rules[0][0])
    masks = tuple(mask_of(paths) for paths in reads)
    known = tuple(replace(rule, vocabulary=_known(scope, rule.vocabulary)) for rule in made)
    return Chain(names=scope.names, steps=each, masks=masks, guarded=_guarded(each, reads), rules=known)


def _check_crossing(each: tuple[Each, ...], reads: list[list[Path]], rule: int) -> None:
    """What is asked of a node must not lead through the array whose elements are read one by one below it."""
    for step, paths in zip(each, reads, strict=False):
        if step.static is None:
            continue
        location = tuple(part if isinstance(part, str) else 0 for part in step.static)  # 0 stands for any index
        if any(crosses(path, location) for path in paths):
            at: Place = ("rules", rule, "foreach")
            raise Unusable(at, "An expression leads through the array that `foreach` takes apart; give that step a name and ask it.")


def _guarded(each: tuple[Each, ...], reads: list[list[Path]]) -> tuple[Path, ...]:
    if all(step.static is not None for step in each):
        return ()
    if len(each) > 1:
        raise Unusable(("rules",), "A `foreach` with .. is one step.")
    return tuple(reads[0])


def _rule(scope: _Scope, rule: model.Rule, shared: model.Shared, at: Place) -> RuleSpec:
    whole = _merged(rule, shared)
    match = scope.conditions(rule.match, (*at, "match"))
    drops = tuple(
        DropSpec(scope.conditions(drop.when, (*at, "drop", index, "when")), drop.code, drop.reason, drop.keep)
        for index, drop in enumerate(rule.drop)
    )
    if not rule.readings and not rule.drop:
        raise Unusable((*at, "readings"), "A rule has readings, or at least something to drop.")
    readings = tuple(_reading(scope, one, whole, (*at, "readings", index)) for index, one in enumerate(rule.readings))
    for index, path in enumerate(rule.keep):
        scope.expression(path, (*at, "keep", index))
    device = scope.expressions(whole.device, (*at, "device"))
    return RuleSpec(
        name=rule.name, match=match, drops=drops, device=device, vocabulary=_vocabulary(scope, rule, (*at, "vocabulary")), readings=readings
    )


def _merged(rule: model.Rule, shared: model.Shared) -> model.Shared:
    own = {name: getattr(rule, name) for name in model.Shared.model_fields}
    return shared.model_copy(update={name: value for name, value in own.items() if value is not None})


def _vocabulary(scope: _Scope, rule: model.Rule, at: Place) -> VocabularySpec | None:
    """Every member that an expression of the rule reads is known; the object is kept whole, so that the new can be read later."""
    if rule.vocabulary is None:
        return None
    of = scope.expression(rule.vocabulary.of, (*at, "of"))
    if of.location is None or of.scope != RECORD:
        raise Unusable((*at, "of"), "Name one object of the record, such as $.telemetry.")
    return VocabularySpec(of, frozenset(rule.vocabulary.ignore))


def _known(scope: _Scope, spec: VocabularySpec | None) -> VocabularySpec | None:
    """Add what any rule of the chain reads of the object."""
    if spec is None or spec.of.location is None:
        return None
    depth = len(spec.of.location)
    below = [path for path in scope.reads.get(RECORD, []) if len(path) > depth and path[:depth] == spec.of.location]
    return VocabularySpec(spec.of, spec.known | {str(path[depth]) for path in below})


def _reading(scope: _Scope, given: model.Reading, shared: model.Shared, at: Place) -> ReadingSpec:
    row = terms.measure(given.measure, (*at, "measure"))
    forms = [name for name in ("value", "code", "strip") if getattr(given, name) is not None] + ["components"] * bool(given.components)
    if len(forms) != 1:
        raise Unusable(at, "A reading has exactly one of value, code, strip and components.")
    _check_form(row, forms[0], (*at, forms[0]))
    time = given.time or shared.time
    if time is None:
        raise Unusable(at, "Nothing says when: add `time` here, to the rule or to `defaults`.")
    end = given.end or shared.end
    sources = given.source_id if given.source_id is not None else shared.source_id
    preliminary = given.preliminary if given.preliminary is not None else shared.preliminary
    return ReadingSpec(
        measure=given.measure,
        when=scope.conditions(given.when, (*at, "when")),
        number=None if given.value is None else _number(scope, given.value, row, (*at, "value")),
        code=None if given.code is None else _code(scope, given.code, row, (*at, "code")),
        strip=None if given.strip is None else _strip(scope, given.strip, row, (*at, "strip")),
        components=MappingProxyType(
            {
                key: _number(scope, one, terms.component(row, key, (*at, "components", key)), (*at, "components", key))
                for key, one in given.components.items()
            }
        ),
        correlate=None if given.correlate is None else _correlation(scope, given, row, (*at, "correlate")),
        time=_time(scope, time, (*at, "time")),
        end=None if end is None else _time(scope, end, (*at, "end")),
        source_id=scope.expressions(sources, (*at, "source_id")),
        flags=tuple(_flag(scope, flag, (*at, "quality", index)) for index, flag in enumerate(given.quality)),
        context=MappingProxyType({key: _circumstance(scope, key, one, (*at, "context", key)) for key, one in given.context.items()}),
        manual=None if shared.manual is None else scope.conditions(shared.manual, ("defaults", "manual")),
        preliminary=None if preliminary is None else scope.conditions(preliminary, (*at, "preliminary")),
        modified=None if shared.modified is None else _time(scope, shared.modified, ("defaults", "modified"), aware=True),
    )


def _check_form(row: Measure, form: str, at: Place) -> None:
    wanted = "components" if row.components else "code" if row.codes else "strip" if row.sampled else "value"
    if form != wanted:
        raise Unusable(at, f"{row.key} takes `{wanted}`, not `{form}`.")


def _number(scope: _Scope, given: model.Quantity, row: Measure, at: Place) -> NumberSpec:
    return NumberSpec(
        source=scope.expression(given.from_, (*at, "from")),
        when=scope.conditions(given.when, (*at, "when")),
        unit=_unit(scope, given.unit, row, (*at, "unit")),
        scale=None if given.scale is None else Decimal(given.scale),
        add=None if given.add is None else Decimal(given.add),
        comma=given.decimal != "point",
        point=given.decimal != "comma",
        absent=_absents(given.absent, (*at, "absent")),
        required=given.required,
    )


def _unit(scope: _Scope, given: str | model.Looked, row: Measure, at: Place) -> str | Table:
    if isinstance(given, str):
        terms.check_units(row, [given], at)
        return given
    terms.check_units(row, given.table.values(), (*at, "table"))
    return scope.table(given, at)


def _absents(given: model.Absents, at: Place) -> Absents:
    words: dict[str, Sentinel] = {}
    for word, meant in given.items():
        flags = () if isinstance(meant, str) else tuple(meant.quality)
        for flag in flags:
            terms.check_flag(flag, (*at, word))
        words[word] = Sentinel(meant if isinstance(meant, str) else meant.reason, flags)
    numbers = {Decimal(written): sentinel for word, sentinel in words.items() if (written := written_decimal(word)) is not None}
    return Absents(words=MappingProxyType(words), numbers=MappingProxyType(numbers))


def _code(scope: _Scope, given: model.Code, row: Measure, at: Place) -> CodeSpec:
    return CodeSpec(
        table=Table(scope.expression(given.from_, (*at, "from")), MappingProxyType(given.table)),
        codes=terms.coded(row, set(given.table.values()), given.system, (*at, "table")),
        absent=_absents(given.absent, (*at, "absent")),
        required=given.required,
    )


def _strip(scope: _Scope, given: model.Strip, row: Measure, at: Place) -> StripSpec:
    if (given.period_ms is None) == (given.rate_hz is None):
        raise Unusable(at, "Say either `period_ms` or `rate_hz`.")
    return StripSpec(
        source=scope.expression(given.from_, (*at, "from")),
        split=_SPLITS[given.split],
        unit=_unit(scope, given.unit, row, (*at, "unit")),
        period_ms=None if given.period_ms is None else scope.expression(given.period_ms, (*at, "period_ms")),
        rate_hz=None if given.rate_hz is None else scope.expression(given.rate_hz, (*at, "rate_hz")),
        factor=_plain(given.factor, (*at, "factor")),
        origin=_plain(given.origin, (*at, "origin")),
        lower=None if given.lower is None else _plain(given.lower, (*at, "lower")),
        upper=None if given.upper is None else _plain(given.upper, (*at, "upper")),
        special=MappingProxyType(dict(given.special)),
        required=given.required,
    )


def _plain(number: str, at: Place) -> str:
    written = written_decimal(number)
    if written is None:
        raise Unusable(at, "This is no number, or has more digits than one needs.")
    return written


def _correlation(scope: _Scope, given: model.Reading, row: Measure, at: Place) -> CorrelationSpec:
    if given.correlate is None or not given.components:
        raise Unusable(at, "`correlate` puts components together; a reading with one value needs none.")
    for key in given.correlate.require:
        terms.component(row, key, (*at, "require"))
    return CorrelationSpec(by=scope.expressions(given.correlate.by, (*at, "by")), require=tuple(given.correlate.require))


def _flag(scope: _Scope, given: model.Flag | model.Looked, at: Place) -> FlagSpec | Table:
    flags: Iterable[str] = [given.flag] if isinstance(given, model.Flag) else given.table.values()
    for flag in flags:
        terms.check_flag(flag, at)
    return FlagSpec(given.flag, scope.conditions(given.when, (*at, "when"))) if isinstance(given, model.Flag) else scope.table(given, at)


def _circumstance(scope: _Scope, key: str, given: model.Circumstance, at: Place) -> CircumstanceSpec:
    terms.check_context(key, at)
    codes = {word: Coded(system=coding.system, code=coding.code, display=coding.display) for word, coding in given.table.items()}
    words = {word: word for word in codes}
    return CircumstanceSpec(Table(scope.expression(given.from_, (*at, "from")), MappingProxyType(words)), MappingProxyType(codes))


def _time(scope: _Scope, given: model.Time, at: Place, *, aware: bool = False) -> TimeSpec:
    zoned = given.zone is not None or given.offset is not None
    if given.zone is not None and given.offset is not None:
        raise Unusable(at, "Say `zone` or `offset`, not both.")
    if zoned and given.kind != "offset":
        raise Unusable((*at, "kind"), "A time with `zone` or `offset` beside it is of the kind `offset`.")
    if aware and given.kind not in ("utc", "offset"):
        raise Unusable((*at, "kind"), "`modified` must be of the kind `utc` or `offset`.")
    epoch = given.format if given.format in time_format.EPOCHS else None
    if epoch is not None and given.kind == "offset" and not zoned:
        raise Unusable((*at, "kind"), "A count since 1970 says no offset: its kind is `utc`.")
    if not aware:
        scope.kinds.add(given.kind)
    return TimeSpec(
        sources=scope.expressions(given.from_, (*at, "from")),
        form=None if epoch or given.kind == "ticks" else time_format.pattern(given.format, (*at, "format")),
        epoch=epoch,
        kind=given.kind,
        zone=None if given.zone is None else scope.expression(given.zone, (*at, "zone")),
        offset=None if given.offset is None else scope.expression(given.offset.from_, (*at, "offset", "from")),
        offset_unit="" if given.offset is None else given.offset.unit,
        unset=frozenset(given.unset),
    )


def _condition(source: Expression, wanted: object) -> Condition:
    match wanted:
        case model.Present(exists=exists):
            return Condition(source, "exists", wanted=exists)
        case model.Differs(not_=words):
            return Condition(source, "not", *_words(words))
        case str() | list():
            return Condition(source, "is", *_words(wanted))
    raise TypeError


def _words(words: str | Sequence[str]) -> tuple[frozenset[str], frozenset[Decimal]]:
    each = frozenset([words] if isinstance(words, str) else words)
    return each, frozenset(_numbers(each))


def _numbers(words: Iterable[str]) -> Iterator[Decimal]:
    for word in words:
        written = written_decimal(word)
        if written is not None:
            yield Decimal(written)
