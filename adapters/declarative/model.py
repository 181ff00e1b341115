"""The language of mappings, version 1: what may stand in a mapping file and what it means.

These classes are its only definition: `schema.json`, which editors use, is generated from them.
"""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from adapters.contract import Evidence, Transport
from adapters.reading import AbsentReason, TimeKind

LANGUAGE_VERSION: Final = "1"
RULES_MAX, READINGS_MAX, ROWS_MAX = 200, 200, 1000
_SCALAR: Final = {"type": ["string", "number", "boolean", "null"]}
_NUMBER: Final = r"-?[0-9]{1,12}(?:\.[0-9]{1,12})?(?:[eE]-?[0-9]{1,2})?"


def word(value: Any) -> Any:
    """A scalar of the mapping as the text that a payload's value is compared with; anything else is left to be refused."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else value


Word = Annotated[str, BeforeValidator(word), StringConstraints(max_length=256), WithJsonSchema(_SCALAR)]
"""A literal as text: 1, "1", true and null may all be written plainly."""

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
Number = Annotated[
    str, BeforeValidator(lambda value: value), StringConstraints(pattern=f"^{_NUMBER}$"), WithJsonSchema({"type": ["string", "number"]})
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class Part(BaseModel):
    """A part of a mapping: a key that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Constant(Part):
    """The same text for every record."""

    literal: Word


class JmesPath(Part):
    """A JMESPath expression asked of a step of `foreach`, or of `document`."""

    jmespath: Text
    of: str = ""


Source = Text | JmesPath | Constant
"""Where a value is found: "$.pulse" (JSONPath), "pulse || hr" (JMESPath), or one of the forms above."""


class Present(Part):
    """Is the value there (and not null)?"""

    exists: bool


class Differs(Part):
    """Is the value none of these?"""

    not_: Word | list[Word] = Field(alias="not")


Conditions = dict[Text, Word | Annotated[list[Word], Field(min_length=1, max_length=ROWS_MAX)] | Present | Differs]
"""Expression -> what its value must be; all of them must hold. A value that is missing is equal to nothing."""


class Outcome(Part):
    """What a sentinel means: why there is no value, and what the hub is told beside it."""

    reason: AbsentReason
    quality: list[Name] = []


Absents = dict[str, AbsentReason | Outcome]


class Looked(Part):
    """A word of the payload, looked up in a table; one that is not in it is reported."""

    from_: Source = Field(alias="from")
    table: dict[str, Text] = Field(min_length=1, max_length=ROWS_MAX)


class Quantity(Part):
    """A number. Its digits are kept; `scale` and `add` make value * scale + add, exactly."""

    from_: Source = Field(alias="from")
    when: Conditions = {}
    unit: Text | Looked
    scale: Number | None = None
    add: Number | None = None
    decimal: Literal["point", "comma", "either"] = "point"
    absent: Absents = {}
    required: bool = False


class Code(Part):
    """A word of the payload that stands for a code of the catalogue."""

    from_: Source = Field(alias="from")
    table: dict[str, Text] = Field(min_length=1, max_length=ROWS_MAX)
    system: Text | None = None
    absent: Absents = {}
    required: bool = False


class Strip(Part):
    """Samples at a fixed distance: an array, or text that `split` takes apart."""

    from_: Source = Field(alias="from")
    split: Literal["blank", "comma", "semicolon"] | None = None
    unit: Text | Looked
    period_ms: Source | None = None
    rate_hz: Source | None = None
    factor: Number = "1"
    origin: Number = "0"
    lower: Number | None = None
    upper: Number | None = None
    special: dict[str, Literal["E", "L", "U"]] = {}
    required: bool = False


class Offset(Part):
    """The offset from UTC that stands beside a local time."""

    from_: Source = Field(alias="from")
    unit: Literal["text", "hours", "minutes", "seconds"]


class Time(Part):
    """When. Nothing is invented: `local` without `zone` or `offset` stays local, and the sender states the zone."""

    from_: Source | Annotated[list[Source], Field(min_length=1, max_length=4)] = Field(alias="from")
    format: Text = "iso"
    kind: TimeKind
    zone: Source | None = None
    offset: Offset | None = None
    unset: list[Word] = []


class Flag(Part):
    """A quality flag of the catalogue, where the conditions hold."""

    flag: Text
    when: Conditions


class Circumstance(Part):
    """Body site, posture or method: a word of the payload -> a code."""

    class Coding(Part):
        system: Text
        code: Text
        display: Text

    from_: Source = Field(alias="from")
    table: dict[str, Coding] = Field(min_length=1, max_length=ROWS_MAX)


class Correlation(Part):
    """Several records that are one reading: same device, same time, same `by`, in the same array or file."""

    by: list[Source] = []
    require: list[Name] = Field(min_length=1)


class Reading(Part):
    """One measurement that a record can hold. Missing or null values make none, unless `required`."""

    measure: Name
    when: Conditions = {}
    value: Quantity | None = None
    code: Code | None = None
    strip: Strip | None = None
    components: dict[Name, Quantity] = {}
    correlate: Correlation | None = None
    time: Time | None = None
    end: Time | None = None
    source_id: list[Source] | None = None
    quality: list[Flag | Looked] = []
    context: dict[Name, Circumstance] = {}
    preliminary: Conditions | None = None


class Drop(Part):
    """Records that are no readings; each is answered with the reason. `keep`: it waits, because a later mapping may read it."""

    when: Conditions
    code: Name
    reason: Text
    keep: bool = False


class Vocabulary(Part):
    """An object whose members are measurements: one that the mapping neither reads nor ignores is reported."""

    of: Text = "$"
    ignore: list[str] = []


class Shared(Part):
    """What rules have in common; a rule's own word wins."""

    device: Source | list[Source] | None = None
    time: Time | None = None
    end: Time | None = None
    source_id: list[Source] | None = None
    modified: Time | None = None
    manual: Conditions | None = None
    preliminary: Conditions | None = None


class Rule(Shared):
    """Which records, and what each of them says."""

    name: Name
    foreach: Text | Annotated[list[dict[Name, Text]], Field(min_length=1, max_length=6)] | None = None
    match: Conditions = {}
    drop: list[Drop] = []
    vocabulary: Vocabulary | None = None
    keep: list[Text] = []
    readings: list[Reading] = Field(max_length=READINGS_MAX)


class Json(Part):
    """One JSON document, or one a line."""

    format: Literal["json", "ndjson"]


class Xml(Part):
    """XML without entities: members are "@attribute", "#text" and, for each child's name, the list of them."""

    format: Literal["xml"]


class Csv(Part):
    """A table. `header`: columns that must be there, by which its line is found among the first ones."""

    format: Literal["csv"]
    header: list[Text] = Field(min_length=1, max_length=100)


class Mapping(Part):
    """A mapping file."""

    mapping: Annotated[Literal["1"], WithJsonSchema({"enum": [1, "1"], "description": "Version of the mapping language."})]
    name: Name
    version: Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")]
    product: Text
    manufacturer: Text
    identifier_system: Annotated[str, StringConstraints(pattern=r"^(?:https?://|urn:)\S+$")]
    transports: list[Transport] = ["push"]
    evidence: Evidence
    input: Annotated[Json | Xml | Csv, Field(discriminator="format")]
    accept: Conditions = {}
    defaults: Shared = Shared()
    rules: list[Rule] = Field(min_length=1, max_length=RULES_MAX)
