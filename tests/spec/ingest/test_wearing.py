"""Who had a unit when, against an oracle that fills in a calendar by hand. DEVICES 6.5, pairing; DESIGN 7.

A late reading goes to whoever had the unit then; unpairing never rewrites history; several at once is not guessed.
"""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.reading import DeviceTime, Quantity, Reading
from hub.ingest.wearing import UNKNOWN_USER, Binding, Use, contradict, holder, user_index

DAYS = 12
PATIENTS = ("a", "b", "c")
INDEXES = (1, 2)
USES = (Use(), *(Use(user_index=index) for index in INDEXES), Use(shared=True))


@dataclass(frozen=True)
class Act:
    """What an operator does on some day: pairs from then on or for a period, or ends one patient's pairings."""

    patient: str
    use: Use
    first: int
    last: int | None
    ends: bool


ACTS = st.builds(
    Act,
    patient=st.sampled_from(PATIENTS),
    use=st.sampled_from(USES),
    first=st.integers(0, DAYS - 1),
    last=st.one_of(st.none(), st.integers(1, DAYS)),
    ends=st.booleans(),
)
USERS = st.sampled_from([None, UNKNOWN_USER, *INDEXES, 3])


def binding(act: Act) -> Binding:
    return Binding(
        patient=act.patient.encode(),
        patient_reference=f"Patient/{act.patient}",
        device_reference="Device/d",
        from_us=act.first,
        to_us=act.last,
        use=act.use,
    )


def carried_out(acts: list[Act]) -> list[Binding]:
    """As `hub device pair` and `unpair` do: contradictions are refused, an end is set and nothing else is touched."""
    made: list[Binding] = []
    for act in acts:
        if act.ends:
            open_then = [one for one in made if one.patient == act.patient.encode() and one.covers(act.first, act.first)]
            made = [replace(one, to_us=act.first) if one in open_then else one for one in made]
        elif act.last is None or act.last > act.first:
            new = binding(act)
            if not any(contradict(new, one) for one in made):
                made.append(new)
    return made


def calendar(bindings: list[Binding]) -> list[set[tuple[str, Use]]]:
    """Day by day, who has the unit and how: the oracle's only knowledge."""
    days: list[set[tuple[str, Use]]] = [set() for _ in range(DAYS)]
    for one in bindings:
        for day in range(one.from_us or 0, DAYS if one.to_us is None else min(DAYS, one.to_us)):
            days[day].add((one.patient.decode(), one.use))
    return days


def by_hand(day: set[tuple[str, Use]], user: int | None) -> tuple[str | None, set[str]]:
    """Whose a reading of this day is, or of whom it may be."""
    mine = {who for who, use in day if use == Use() or (use.user_index is not None and use.user_index == user)}
    if len(mine) == 1:
        return mine.pop(), set()
    return None, {who for who, _ in day}


@given(acts=st.lists(ACTS, max_size=8), day=st.integers(0, DAYS - 1), user=USERS)
def test_a_reading_goes_to_whoever_had_the_unit_then(acts: list[Act], day: int, user: int | None) -> None:
    """However late it comes: only the day of the measurement counts."""
    bindings = carried_out(acts)
    owner, among = by_hand(calendar(bindings)[day], user)
    found = holder(bindings, user, day, day)
    if owner is not None:
        assert found.binding is not None
        assert found.binding.patient_reference == f"Patient/{owner}"
    else:
        assert found.binding is None
        assert {one.patient.decode() for one in found.among} == among


@given(acts=st.lists(ACTS, max_size=8), first=st.integers(0, DAYS - 1), length=st.integers(1, 5), user=USERS)
def test_what_lasts_belongs_to_who_had_the_unit_all_the_while(acts: list[Act], first: int, length: int, user: int | None) -> None:
    """A night that begins with one patient and ends with another is nobody's."""
    bindings = carried_out(acts)
    last = min(first + length, DAYS - 1)
    found = holder(bindings, user, first, last)
    if found.binding is not None:
        days = calendar(bindings)[first : last + 1]
        assert all(found.binding.patient.decode() in {who for who, _ in day} for day in days)


@given(acts=st.lists(ACTS, max_size=8), user=st.sampled_from(INDEXES))
def test_pairings_that_were_not_refused_leave_no_index_with_two_owners(acts: list[Act], user: int) -> None:
    """And a unit that is one patient's as a whole is nobody else's."""
    for day in calendar(carried_out(acts)):
        whole = {who for who, use in day if use == Use()}
        assert len(whole) <= 1
        assert not whole or {use for _, use in day} == {Use()}
        assert len({who for who, use in day if use.user_index == user}) <= 1


@given(acts=st.lists(ACTS, min_size=1, max_size=8), end=ACTS, user=USERS)
def test_an_unpairing_changes_nothing_of_what_was_before_it(acts: list[Act], end: Act, user: int | None) -> None:
    """DEVICES 6.5: unpairing never rewrites history."""
    before = carried_out(acts)
    after = carried_out([*acts, replace(end, ends=True)])
    for day in range(end.first):
        then, now = holder(before, user, day, day).binding, holder(after, user, day, day).binding
        # The same pairing, whose end may be another now.
        assert now == (then if then is None or now is None else replace(then, to_us=now.to_us))


@pytest.mark.parametrize(
    ("quality", "index"),
    [
        ((), None),
        (("body-movement",), None),
        (("body-movement", "user-index:2"), 2),
        (("user-index:unknown",), UNKNOWN_USER),
        (("ambiguous-user",), UNKNOWN_USER),
    ],
)
def test_the_index_of_a_reading_is_the_one_that_its_unit_gave(quality: tuple[str, ...], index: int | None) -> None:
    """GATT User ID, 255: unknown; Withings attrib 1: may belong to other users as well (DEVICES 2.1, 2.4)."""
    made = Reading(
        measure="body-weight",
        device="d",
        time=DeviceTime(kind="utc", text="1"),
        value=Quantity(value="1", unit="kg"),
        pointer="/0",
        raw=b"x",
        quality=quality,
    )
    assert user_index(made) == index
