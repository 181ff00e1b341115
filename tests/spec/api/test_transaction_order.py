"""A transaction comes to the same as its entries one by one in the order of verbs. https://hl7.org/fhir/R4/http.html#trules"""

import itertools
import os

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.spec.api.test_transaction import bundle
from tests.spec.api.transactions import OLD, Op, World, plans
from tests.support.caller import Caller
from tests.support.outcomes import refused

EXAMPLES = int(os.environ.get("HUB_TRANSACTIONS", "20"))
"""docs/faults.md says what a long run gave."""
KEYS = (f"w{number}" for number in itertools.count())
SETTINGS = settings(
    max_examples=EXAMPLES,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # over HTTP to make it smaller takes longer than to read it
    suppress_health_check=[HealthCheck.too_slow],
)


@SETTINGS
@given(plan=plans())
def test_a_transaction_comes_to_the_same_as_its_entries_one_by_one(ehr: Caller, plan: list[Op]) -> None:
    """#trules: DELETE, POST, PUT and PATCH, GET, in whatever order they stand; the same statuses, versions, contents and links."""
    once, singly = World(ehr, next(KEYS)).begin(), World(ehr, next(KEYS)).begin()
    answer = once.at_once(plan)
    assert answer.status_code == 200, answer.text
    assert once.answered(plan, answer.json()) == singly.one_by_one(plan)
    assert once.state() == singly.state()


AGAIN = {
    "the same update": lambda world, slot: world.entry(Op(act="PUT", slot=slot, type=OLD[slot])),
    "an update by criteria": lambda world, slot: world.entry(Op(act="PUT", slot=slot, type=OLD[slot], by_criteria=True)),
    "a patch": lambda world, slot: world.entry(Op(act="PATCH", slot=slot, type=OLD[slot], text="Deux")),
    "a patch by criteria": lambda world, slot: world.entry(Op(act="PATCH", slot=slot, type=OLD[slot], text="Deux", by_criteria=True)),
    "a deletion": lambda world, slot: world.entry(Op(act="DELETE", slot=slot, type=OLD[slot])),
}


@SETTINGS
@given(plan=plans(), again=st.sampled_from(sorted(AGAIN)), data=st.data())
def test_what_is_written_twice_is_refused_and_nothing_is_done(ehr: Caller, plan: list[Op], again: str, data: st.DataObject) -> None:
    """#trules: "If any resource identities (including resolved identities from conditional update/delete) overlap ... then the transaction
    SHALL fail"."""
    world = World(ehr, next(KEYS)).begin()
    # Deleted by the same transaction it matches criteria no more: that is no second write of one resource.
    written = [op.slot for op in plan if op.slot in OLD and op.act in ("PUT", "PATCH") and not (op.by_criteria and again == "a deletion")]
    if not written:
        return
    before = world.state()
    entries = [*map(world.entry, plan), AGAIN[again](world, data.draw(st.sampled_from(written)))]
    refused(ehr.post("/fhir", bundle(*data.draw(st.permutations(entries)))), 400, "invalid")
    assert world.state() == before
