"""Run the rules over an adapter, and say what level it reaches."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from traceback import extract_tb

from adapters.kit.rule import HINTS_MAX, LEVELS, Level, NotApplicable, Result, Rule, Status, Subject, Unproven
from adapters.kit.rulebook import RULES

ACCEPTED: Mapping[Level, frozenset[Status]] = {
    "bronze": frozenset({"pass", "not-applicable", "exempt", "unproven"}),
    "silver": frozenset({"pass", "not-applicable", "exempt"}),
    "gold": frozenset({"pass", "not-applicable"}),
}
"""How a rule may have ended for the level to be reached."""


def examine(
    subject: Subject,
    exemptions: Mapping[str, str] | None = None,
    *,
    rules: Sequence[Rule] = RULES,
    advance: Callable[[Rule], None] = lambda _: None,
) -> Iterator[Result]:
    """Yield a result for each rule, in their order.

    exemptions  id of a rule to the reason why it does not hold for this product; a rule that holds needs none
    advance     is told each rule before it is run
    """
    for rule in rules:
        advance(rule)
        yield _exempted(_result(rule, subject), (exemptions or {}).get(rule.id, ""))


def _result(rule: Rule, subject: Subject) -> Result:
    try:
        hints = tuple(islice(rule.check(subject), HINTS_MAX))
    except Unproven as why:
        return Result(rule=rule, status="unproven", hints=(str(why),))
    except NotApplicable as why:
        return Result(rule=rule, status="not-applicable", hints=(str(why),))
    except Exception as error:  # noqa: BLE001 - of a simulator, or of what stands beside a fixture: a finding like any other
        hints = (_said(error),)
    return Result(rule=rule, status="fail" if hints else "pass", hints=hints)


def _said(error: Exception) -> str:
    """Which code failed, and where: the last place outside the kit."""
    places = [place for place in extract_tb(error.__traceback__) if "/adapters/kit/" not in place.filename]
    where = f" ({places[-1].filename.rpartition('/')[2]}, line {places[-1].lineno})" if places else ""
    return f"the rule could not be run: {type(error).__name__}: {error}{where}; mend the simulator, or what stands beside the fixture"


def _exempted(result: Result, reason: str) -> Result:
    if not reason.strip() or result.status not in {"fail", "unproven"}:
        return result
    return Result(rule=result.rule, status="exempt", hints=(reason.strip(),))


def level(results: Sequence[Result]) -> Level | None:
    """The highest level whose rules, and all rules below it, are met; None if not even bronze is.

    bronze  no rule of bronze fails: decodes, tells no lie about units and zones, leaks nothing, cannot be made to fail
    silver  every rule up to silver passes, has no subject in the format, or is exempt with a reason that the report repeats
    gold    every rule passes or has no subject in the format: nothing is exempt, nothing is left unproven
    """
    reached: Level | None = None
    for name in LEVELS:
        asked = [result for result in results if LEVELS.index(result.rule.level) <= LEVELS.index(name)]
        if not all(_met(result, name) for result in asked):
            return reached
        reached = name
    return reached


def _met(result: Result, name: Level) -> bool:
    accepted = ACCEPTED[name]
    return result.status in accepted or (result.status == "fail" and result.rule.severity == "warning" and name != "gold")
