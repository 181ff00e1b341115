"""From a FHIR Consent to its rules in words. A later issue makes more than one rule of a tree of provisions here."""

from collections.abc import Iterator
from typing import Any

from security.period import OPEN_END_US, OPEN_START_US
from security.problems import problems
from security.rules import Pair, Rule, ordered
from security.words import (
    ACT_REASON,
    CONSENT_ACTION,
    PARTICIPATION_TYPE,
    Json,
    class_of,
    code_pairs,
    concept_words,
    date_us_of,
    each,
    period_of,
    provision_of,
    reference_of,
    replaced_of,
    replaces_of,
    speaks,
    type_of,
    word_of,
)


def rules_of(consent: Json, *, id: str, version: str) -> tuple[Rule, ...]:
    """What version `version` of Consent/`id` says about access; nothing if it does not speak (reading 1) or is nobody's.

    Never raises. A Consent with `problems` becomes a rule without conditions that is marked as not understood.
    """
    if not speaks(consent) or not consent.get("patient"):
        return ()
    provision = provision_of(consent)
    start_us, end_us = period_of(provision, "period") or (OPEN_START_US, OPEN_END_US)
    not_understood = bool(problems(consent))
    rule = Rule(
        consent=f"Consent/{id}",
        version=version,
        type=type_of(consent),
        date_us=date_us_of(consent),
        start_us=start_us,
        end_us=end_us,
        replaces=ordered(filter(None, map(replaced_of, replaces_of(consent)))),
        not_understood=not_understood,
        **({} if not_understood else _conditions(provision)),
    )
    return (rule,)


def _conditions(provision: Json) -> dict[str, Any]:
    data_start_us, data_end_us = period_of(provision, "dataPeriod") or (None, None)
    return {
        "actors": ordered(pair for actor in each(provision, "actor") for pair in _actor(actor)),
        "actions": ordered(word for action in each(provision, "action") for word in concept_words(action, CONSENT_ACTION)),
        "purposes": ordered(word_of(purpose, ACT_REASON) for purpose in each(provision, "purpose")),
        "classes": ordered(class_of(coding) for coding in each(provision, "class")),
        "codes": ordered(pair for concept in each(provision, "code") for pair in code_pairs(concept)),
        "data_start_us": data_start_us,
        "data_end_us": data_end_us,
    }


def _actor(actor: Json) -> Iterator[Pair]:
    roles: list[str | None] = [*concept_words(actor.get("role"), PARTICIPATION_TYPE)]
    for role in roles or [None]:
        yield role, reference_of(actor.get("reference")) or ""
