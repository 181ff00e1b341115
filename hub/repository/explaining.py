"""How a search ran, in words, for an administrator (`_explain=true`, docs/search.md).

Told is what follows from the question and from what the caller may see. What depends on anything else stays out: how many
keys were read, how many rows were refused, which way was taken because many or few are hidden (law 3).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from hub.repository.reading import POLICY_ONLY
from hub.repository.searching_plan import NAMED_MAX, Plan, Role
from hub.search.asked import Chain, Criterion, Either, Has
from hub.search.compile import narrow
from hub.search.reach import reach
from hub.search.shape import TYPE, shape
from hub.search.types.id import IdsValue, PatientsValue
from hub.services import Services
from hub.store.leads import leads

US_PER_MS = 1_000
ROLES: Mapping[Role, str] = {
    "search": "search",
    "chain": "chain, searched first,",
    "reverse chain": "reverse chain, searched first,",
    "include": "reverse include",
}


def explanation(plans: Sequence[Plan], times_us: Mapping[str, int], services: Services) -> tuple[str, ...]:
    """Line by line. `plans`: in the order in which they ran. `times_us`: how long each part took."""
    lines = [line for plan in plans for line in _told(plan, services)]
    spent = ", ".join(f"{name} {-(-spent // US_PER_MS)} ms" for name, spent in times_us.items())
    return (*lines, f"Times: {spent}.")


def _told(plan: Plan, services: Services) -> Iterator[str]:
    search, blind = plan.search, services.blind
    what = f"{ROLES[plan.role]} of {search.type}"
    of_type = blind.token("_type", search.type)
    # Whether ids or pseudonyms stand for the answer of a reverse chain depends on what is hidden.
    told = [one for one in search.criteria if not _answers(one)]
    if len(told) < len(search.criteria):
        yield f"{what}: a reverse chain asks id; opened resources are compared once more."
    for one in told:
        alone = narrow(replace(search, criteria=(one,)), token=blind.token, patient_token=blind.patient, now_us=plan.started_us)
        kind = shape(alone.predicate, of_type)
        yield f"{what}: {_name(one)} asks {kind}; {_decided(kind, exact=alone.exact)}."
    whole = narrow(replace(search, criteria=tuple(told)), token=blind.token, patient_token=blind.patient, now_us=plan.started_us).predicate
    kind = shape(whole, of_type) if len(told) == len(search.criteria) else f"id + {shape(whole, of_type)}"
    order = "as opened resources sort" if plan.order is None else f"by {plan.order.field}"
    yield f"{what}: asks {kind} in all, {order}; indexes: {', '.join(leads(search.type, kind, plan.order))}."
    if search.type in POLICY_ONLY:
        yield f"{what}: permitted by policy; no consent is asked."
    else:
        found = reach(whole)
        named = found is not None and (found.named or len(told) < len(search.criteria))
        yield f"{what}: {_ASKED[None if found is None else named]}"
    if plan.role != "reverse chain":
        yield f"{what}: {plan.tally.seen} came up that you may see, {plan.tally.found} of them match."


_ASKED: Mapping[bool | None, str] = {
    True: "consents of the patients named are joined.",
    False: f"consents of those to whom its tokens lead are joined; of all who permit anything, where these are more than {NAMED_MAX}.",
    None: "consents of all who permit anything are joined.",
}


def _answers(one: Criterion | Either | Chain | Has) -> bool:
    """Does it stand for what a reverse chain has found?"""
    return isinstance(one, Criterion) and any(isinstance(value, IdsValue | PatientsValue) for value in one.values)


def _decided(kind: str, *, exact: bool) -> str:
    if exact:
        return "tokens decide, opened resources are compared once more"
    return "opened resources decide" if kind == TYPE else "tokens narrow, opened resources decide"


def _name(one: Criterion | Either | Chain | Has) -> str:
    if isinstance(one, Either):
        return " or ".join(dict.fromkeys(_name(way) for way in one.criteria))
    if not isinstance(one, Criterion):
        return one.parameter.code
    return one.parameter.code if one.modifier is None else f"{one.parameter.code}:{one.modifier}"
