"""The hub's decision against a second judge that shares no code with it (SECURITY 2.6, proof 2)."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from security.access import Restriction, restriction, row_permitted
from security.consent import Asker, Rule, decide, from_json, rules_of, shape, to_json
from tests.spec.consent import generate, oracle

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAIRS = 2_000
many = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
randoms = st.randoms(use_true_random=False)


class Words:
    """A tokenizer without a key: a token is the words themselves. Rows take theirs from the oracle's reading."""

    def class_tokens(self, system: str | None, code: str) -> frozenset[bytes]:
        return frozenset({f"class {system} {code}".encode()})

    def code_tokens(self, system: str | None, code: str) -> frozenset[bytes]:
        return frozenset({f"code {system} {code}".encode()})


def row_tokens(resource: dict) -> frozenset[bytes]:
    words = Words()
    belonging = [pair for pair in POSSIBLE_CLASSES if oracle.belongs(resource, {"system": pair[0], "code": pair[1]})]
    tokens = [words.class_tokens(*pair) for pair in belonging] + [words.code_tokens(*pair) for pair in oracle.told_codings(resource)]
    return frozenset().union(*tokens)


POSSIBLE_CLASSES = {(oracle.TYPES, "Binary")} | {
    (oracle.URI if oracle.is_url(coding["code"]) else coding.get("system"), coding["code"]) for coding in generate.CLASSES
}


def us(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(microseconds=1)


def asker_for(caller: oracle.Caller) -> Asker:
    return Asker(references=caller.names, roles=frozenset({"IRCP", "PRCP"}), purpose=caller.purpose, action=caller.action)


def all_rules(consents: list[dict]) -> list[Rule]:
    return [rule for c in consents for rule in rules_of(c, id=c["id"], version=c["meta"]["versionId"])]


def restrict(rules, caller: oracle.Caller, *, default: bool, now: datetime) -> Restriction:
    return restriction(rules, asker_for(caller), default=default, now_us=us(now), tokens=Words())


def permits_row(restriction: Restriction, resource: dict) -> bool:
    start, end = (us(side) for side in oracle.data_span(resource)) if oracle.data_span(resource) else (None, None)
    return row_permitted(restriction, row_tokens(resource), start, end)


def compare(case: tuple) -> tuple[bool, str]:
    """One pair: the re-check and the restriction, also the one from the group's shape, both against the oracle."""
    consents, caller, resource, default, now = case
    rules = all_rules(consents)
    expected = oracle.judge(consents, caller, resource, default=default, now=now)
    decision = decide(rules, asker_for(caller), resource, default=default, now_us=us(now))
    assert (decision.permit, decision.basis, decision.consent) == expected
    compiled = restrict(rules, caller, default=default, now=now)
    assert permits_row(compiled, resource) == decision.permit
    assert restrict(from_json(shape(rules)), caller, default=default, now=now) == compiled
    assert restrict(from_json(to_json(rules)), caller, default=default, now=now) == compiled
    return decision.permit, decision.basis


@many
@given(randoms)
def test_the_decision_and_the_restriction_agree_with_the_oracle(random: Random) -> None:
    """SECURITY 2.6: the second evaluator agrees on every pair."""
    compare(generate.case(random))


def test_a_seeded_batch_agrees_and_decides_in_every_way() -> None:
    """The batch is worth something only if denies, permits and both policies occur in it often."""
    random = Random(2_7)
    seen = Counter(compare(generate.case(random)) for _ in range(PAIRS))
    assert min(seen[outcome] for outcome in [(True, "consent"), (False, "consent"), (True, "policy"), (False, "policy")]) > PAIRS / 20


@many
@given(randoms)
def test_the_order_of_consents_is_irrelevant(random: Random) -> None:
    """The store gives no order; neither decision, restriction nor canonical bytes may depend on one."""
    consents, caller, resource, default, now = generate.case(random)
    rules = all_rules(consents)
    shuffled = random.sample(rules, len(rules))
    for judge in (
        lambda rules: decide(rules, asker_for(caller), resource, default=default, now_us=us(now)),
        lambda rules: restrict(rules, caller, default=default, now=now),
        to_json,
        shape,
    ):
        assert judge(shuffled) == judge(rules)


@many
@given(randoms)
def test_without_rules_and_without_opt_out_nothing_is_permitted(random: Random) -> None:
    """Law 1: silence means no."""
    _, caller, resource, _, now = generate.case(random)
    decision = decide((), asker_for(caller), resource, default=False, now_us=us(now))
    assert (decision.permit, decision.basis) == (False, "policy")
    assert restrict((), caller, default=False, now=now).nothing


@many
@given(randoms)
def test_what_is_not_active_or_not_in_force_permits_nothing(random: Random) -> None:
    """Reading 1; https://hl7.org/fhir/R4/consent-definitions.html#Consent.status."""
    consents, caller, resource, _, now = generate.case(random)
    ended = now - timedelta(days=1)
    for consent in consents:
        if random.random() < 0.5:
            consent["status"] = random.choice(["draft", "proposed", "rejected", "inactive", "entered-in-error"])
        else:
            consent["provision"] = consent.get("provision", {}) | {"period": {"end": ended.isoformat()}}
    rules = all_rules(consents)
    assert not decide(rules, asker_for(caller), resource, default=False, now_us=us(now)).permit
    assert not permits_row(restrict(rules, caller, default=False, now=now), resource)


@many
@given(randoms)
def test_one_more_deny_never_permits_more(random: Random) -> None:
    """Reading 10: a deny takes away; only what is superseded explicitly comes back."""
    consents, caller, resource, default, now = generate.case(random)
    deny = generate.consent(random, "9")
    deny["provision"] = deny.get("provision", {}) | {"type": "deny"}
    deny.pop("extension", None)
    before, after = ([*all_rules(consents)], [*all_rules(consents), *all_rules([deny])])
    if decide(after, asker_for(caller), resource, default=default, now_us=us(now)).permit:
        assert decide(before, asker_for(caller), resource, default=default, now_us=us(now)).permit


@many
@given(randoms)
def test_nothing_means_no_row_and_everything_means_each_row(random: Random) -> None:
    """The hub skips the query on one and the conditions on the other; both must be true of each row."""
    consents, caller, resource, default, now = generate.case(random)
    compiled = restrict(all_rules(consents), caller, default=default, now=now)
    assert not (compiled.nothing and permits_row(compiled, resource))
    assert not (compiled.everything and not permits_row(compiled, resource))
    assert not (compiled.nothing and compiled.everything)
