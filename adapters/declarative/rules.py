"""What a mapping was compiled to: chains of steps that lead to records, and rules that say what a record holds."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.declarative.conditions import Condition
from adapters.declarative.expressions import Expression
from adapters.declarative.json_path import Each
from adapters.declarative.paths import Mask, Path
from adapters.declarative.times import TimeSpec
from adapters.declarative.values import CodeSpec, NumberSpec, StripSpec, Table
from adapters.reading import Coded


@dataclass(frozen=True, slots=True, eq=False)
class FlagSpec:
    flag: str
    when: tuple[Condition, ...]


@dataclass(frozen=True, slots=True, eq=False)
class CircumstanceSpec:
    table: Table
    codes: Mapping[str, Coded]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CorrelationSpec:
    by: tuple[Expression, ...]
    require: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ReadingSpec:
    """One measurement of a record; exactly one of number, code, strip and components is there."""

    measure: str
    when: tuple[Condition, ...]
    number: NumberSpec | None
    code: CodeSpec | None
    strip: StripSpec | None
    components: Mapping[str, NumberSpec]
    correlate: CorrelationSpec | None
    time: TimeSpec
    end: TimeSpec | None
    source_id: tuple[Expression, ...]
    flags: tuple[FlagSpec | Table, ...]
    context: Mapping[str, CircumstanceSpec]
    manual: tuple[Condition, ...] | None
    preliminary: tuple[Condition, ...] | None
    modified: TimeSpec | None


@dataclass(frozen=True, slots=True, eq=False)
class DropSpec:
    when: tuple[Condition, ...]
    code: str
    reason: str
    keep: bool


@dataclass(frozen=True, slots=True, eq=False)
class VocabularySpec:
    of: Expression
    known: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RuleSpec:
    name: str
    match: tuple[Condition, ...]
    drops: tuple[DropSpec, ...]
    device: tuple[Expression, ...]
    vocabulary: VocabularySpec | None
    readings: tuple[ReadingSpec, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Chain:
    """Rules that take their records from the same place.

    names     of the steps; the last one is the record
    masks     what is kept of the document and of each step's node
    guarded   paths from the document that could lead through the array in which a record lies; looked at for each record
    """

    names: tuple[str, ...]
    steps: tuple[Each, ...]
    masks: tuple[Mask, ...]
    guarded: tuple[Path, ...]
    rules: tuple[RuleSpec, ...]
