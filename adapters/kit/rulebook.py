"""The rules of the conformance kit, one a row, in the groups of DEVICES 6.4. A new rule is a row and a function."""

from adapters.kit.checks import declared, decoding, hostile, order, privacy, simulation, terminology, times, values, vocabulary
from adapters.kit.rule import Check, Level, Rule, Severity


def _rule(id: str, group: str, level: Level, check: Check, text: str, severity: Severity = "error") -> Rule:
    return Rule(id=id, group=group, text=text, level=level, severity=severity, check=check)


RULES: tuple[Rule, ...] = (
    _rule("manifest-complete", "manifest", "bronze", declared.manifest_complete, "The manifest says name, SemVer, product and identifier"),
    _rule("manifest-measures", "manifest", "bronze", declared.manifest_measures, "What the manifest declares is in the catalogue"),
    _rule("manifest-true", "manifest", "bronze", declared.manifest_true, "What comes out of the fixtures is declared"),
    _rule("manifest-measures-shown", "manifest", "gold", declared.measures_shown, "Each measure declared is in a fixture", "warning"),
    _rule(
        "manifest-evidence", "manifest", "gold", declared.evidence_outside, "The decoding was held against a source from outside", "warning"
    ),
    _rule("fixture-there", "fixtures", "bronze", decoding.fixture_there, "There is a payload as the vendor sends it"),
    _rule("fixture-decodes", "fixtures", "bronze", decoding.fixture_decodes, "Every fixture gives readings"),
    _rule("item-sound", "fixtures", "bronze", decoding.item_sound, "Every item obeys the contract"),
    _rule("item-pointer", "fixtures", "bronze", decoding.pointer_there, "Every item says where it stood"),
    _rule("item-raw-alone", "fixtures", "silver", decoding.raw_reads_alone, "An item's own bytes, read alone, give it again"),
    _rule("item-same-again", "fixtures", "bronze", decoding.deterministic, "The same bytes give the same items"),
    _rule("fixture-expected", "fixtures", "silver", decoding.expected_values, "The values are those that a person wrote down"),
    _rule("fhir-golden", "golden", "silver", decoding.golden_fhir, "The FHIR is that which was looked at"),
    _rule("fhir-built", "fhir", "bronze", decoding.fhir_built, "The hub builds FHIR from every reading"),
    _rule("fhir-valid", "fhir", "bronze", decoding.fhir_valid, "It is valid: R4, vital signs, and the profiles that it claims"),
    _rule("terminology-measure", "terminology", "bronze", terminology.measure_known, "Measures and components are in the catalogue"),
    _rule("terminology-unit", "terminology", "bronze", terminology.unit_fits, "Each unit, and each code, belongs to its measure"),
    _rule("terminology-range", "terminology", "bronze", terminology.range_possible, "Each value is possible for its measure and unit"),
    _rule("terminology-words", "terminology", "silver", declared.vocabulary_known, "Flags and circumstances are words of the hub"),
    _rule("precision-kept", "precision", "silver", values.precision_kept, "116.0 stays 116.0"),
    _rule("time-zone-proven", "time", "bronze", times.zone_proven, "No time zone is made up"),
    _rule("time-zone-needed", "time", "bronze", declared.zone_needed, "Wall-clock times are declared"),
    _rule("time-leap-day", "time", "silver", times.leap_day, "29 February is itself, or no day"),
    _rule("time-extremes", "time", "silver", times.extreme_years, "Year 0, 1970 and the future are not replaced"),
    _rule("time-repeated-hour", "time", "silver", times.repeated_hour, "Nobody chooses in the hour that comes twice"),
    _rule("time-drift", "time", "silver", times.drift, "A clock ten minutes off is passed on as it is"),
    _rule("special-absent", "specials", "silver", values.specials_absent, "NaN, LO, HI, -- and the like become no number"),
    _rule("special-answered", "specials", "silver", values.specials_answered, "A record with such a value does not disappear"),
    _rule("order-reversed", "order", "silver", order.reversed_, "Newest first is the same as oldest first"),
    _rule("order-permuted", "order", "gold", order.permuted, "Any order gives the same readings"),
    _rule("order-repeated", "order", "silver", order.repeated, "Records that come twice are the same readings"),
    _rule("order-split", "order", "gold", order.split, "Any splitting gives no other readings"),
    _rule("order-corrected", "order", "silver", order.corrected, "Another value is the same reading, corrected"),
    _rule("volume", "volume", "gold", hostile.volume, "100,000 items or 10 MB are read within a minute and 512 MiB"),
    _rule("hostile-utf8", "hostile", "bronze", hostile.invalid_utf8, "Bytes that are no UTF-8 do no harm"),
    _rule("hostile-entities", "hostile", "bronze", hostile.entities, "No entity is expanded or fetched"),
    _rule("hostile-depth", "hostile", "bronze", hostile.depth, "Deep nesting does no harm"),
    _rule("hostile-gzip", "hostile", "bronze", hostile.gzip_bomb, "A gzip bomb does not go off"),
    _rule("hostile-odd", "hostile", "bronze", hostile.odd_bytes, "Odd bytes, endless numbers and paths for names do no harm"),
    _rule("hostile-cut", "hostile", "bronze", hostile.cut_off, "A payload that is cut off is refused, or read in part"),
    _rule("hostile-damaged", "hostile", "silver", hostile.damaged, "A damaged payload never makes the adapter fail"),
    _rule("privacy-names", "privacy", "bronze", privacy.names_stay, "Names in a payload stay out of items, hints and FHIR"),
    _rule("privacy-silent", "privacy", "bronze", privacy.silent, "Nothing is printed or logged"),
    _rule("privacy-refusal", "privacy", "bronze", privacy.refusal_blank, "A refusal repeats nothing of the payload"),
    _rule("unknown-reported", "vocabulary", "silver", vocabulary.nothing_dropped, "Unknown words are reported, not dropped"),
    _rule("unknown-members", "vocabulary", "silver", vocabulary.unknown_members, "A field added next year does no harm"),
    _rule("simulator-true", "simulator", "gold", simulation.simulated, "What the product's simulator writes is what is read"),
)
