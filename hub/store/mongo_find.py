"""A finding and an order as MongoDB filters and sorts. Pure.

The sorts are those that the indexes have (`hub.store.schema`), forwards or wholly backwards, so that none happens in memory.
An index in the order of starts does not know ends. So what must end after some moment is looked for in two places: among what
began at most LASTING_US before it, and among the few rows that are marked because they last longer.
"""

from collections.abc import Mapping
from typing import NamedTuple

from hub.search.predicate import AllOf, Between, PatientIs, Predicate
from hub.store.documents import LASTING_US
from hub.store.mongo_filter import RECORD_FIELDS, RESOURCE_FIELDS, Filter, mongo_filter, row_id
from hub.store.protocol import Finding, Order

AUDIT_TYPE = "AuditEvent"


def _fields(type: str) -> Mapping[str, str]:
    return RECORD_FIELDS if type == AUDIT_TYPE else RESOURCE_FIELDS


def wanted(finding: Finding) -> Filter:
    """The caller's question AND what the caller may see: the restriction is inside the query, before any limit."""
    fields = _fields(finding.type)
    made = [mongo_filter(finding.predicate, finding.type, fields), mongo_filter(finding.restriction, finding.type, fields)]
    if finding.type != AUDIT_TYPE:
        made.append({"t": finding.type})
    if finding.others_within is not None:
        # Every other patient named must permit: no element of `q` outside the permitted ones.
        made.append({"q": {"$not": {"$elemMatch": {"$nin": sorted(finding.others_within)}}}})
    if finding.naming_others:
        made.append({"q": {"$exists": True}})
    return {"$and": [part for part in made if part]}


def sort(order: Order, type: str) -> list[tuple[str, int]]:
    fields = _fields(type)
    if order.field == "id":
        return [("_id", _way(order))]
    return [(fields[order.field], _way(order)), ("_id", _tie(order, fields))]


def _way(order: Order) -> int:
    return -1 if order.descending is not order.backwards else 1


def _tie(order: Order, fields: Mapping[str, str]) -> int:
    """Ties are broken by id in the direction that the index has (hub.store.schema), so that no sort happens in memory."""
    if order.ids_descending is not None:
        return -1 if order.ids_descending is not order.backwards else 1
    return _way(order) if order.field == "lu" and fields is RESOURCE_FIELDS else -_way(order)


def _beyond(type: str, order: Order, fields: Mapping[str, str]) -> Filter:
    """Where the next page goes on: strictly after the last row shown, ties broken by id (never an offset)."""
    if order.after is None:
        return {}
    value, id = order.after
    last = row_id(type, id, fields)
    if order.field == "id":
        return {"_id": {_past(_way(order)): last}}
    tied: Filter = {"_id": {_past(_tie(order, fields)): last}}
    if value is None:
        return tied
    field, past = fields[order.field], _past(_way(order))
    # The bound on the field alone is what an index can start from.
    return {field: {past + "e": value}, "$or": [{field: {past: value}}, tied]}


def _past(way: int) -> str:
    return "$gt" if way > 0 else "$lt"


class Part(NamedTuple):
    """One query. `hint`: the index to be used, where MongoDB may not choose."""

    asked: Filter
    hint: str | None = None


ANY_ORDER = Order(field="d", descending=True)
"""For those who want all rows, in whatever order: the fewest queries."""
LASTING, LASTING_OF_PATIENT = "t_1_e_1_present_z", "p_1_t_1_e_1_present_z"


def parts(finding: Finding, order: Order) -> list[Part]:
    """The queries whose results, one after the other, are the answer in order. No row is in two of them.

    What has no time comes last, whichever way the times go, and first when going backwards.
    """
    fields, asked = _fields(finding.type), wanted(finding)
    beyond = _beyond(finding.type, order, fields)
    if order.field == "id" and fields is RESOURCE_FIELDS:
        # Row ids begin with their type, so the primary index gives one type in order ("0" follows "/").
        asked = {"$and": [asked, {"_id": {"$gte": f"{finding.type}/", "$lt": f"{finding.type}0"}}]}
    first = {"$and": [asked, beyond]} if beyond else asked
    if fields is RECORD_FIELDS:
        return [Part(first)]
    ends_us = _ends_from(finding.predicate)
    if ends_us is not None:
        recent, lasting = _by_start(ends_us)
        if order.field != "d":
            return [Part({"$and": [first, {"$or": [recent, lasting]}]})]
        both = [Part({"$and": [first, recent]}), Part({"$and": [first, lasting]}, _lasting_index(finding))]
        return both if _way(order) < 0 else both[::-1]
    return [Part(one) for one in (_dated(order, asked, first) if order.field == "d" else [first])]


def _by_start(ends_us: int) -> tuple[Filter, Filter]:
    since_us = ends_us - LASTING_US
    return {"d": {"$gte": since_us}}, {"d": {"$lt": since_us}, "z": True}


def _lasting_index(finding: Finding) -> str:
    return LASTING_OF_PATIENT if any(isinstance(one, PatientIs) for one in _conjunction(finding.predicate)) else LASTING


def _ends_from(predicate: Predicate) -> int | None:
    """The latest moment after which every row must end that the predicate holds for; None if it does not say."""
    lows = [one.low for one in _conjunction(predicate) if isinstance(one, Between) and one.field == "e" and one.low is not None]
    return max(lows, default=None)


def _conjunction(predicate: Predicate) -> list[Predicate]:
    return [one for part in predicate.parts for one in _conjunction(part)] if isinstance(predicate, AllOf) else [predicate]


def _dated(order: Order, asked: Filter, first: Filter) -> list[Filter]:
    dated: Filter = {"d": {"$ne": None}}
    undated: Filter = {"d": None}
    if order.after is None:
        # MongoDB has what is missing last when descending and first when ascending: the reverse of our order likewise.
        in_order = [asked] if order.descending else [{"$and": [asked, dated]}, {"$and": [asked, undated]}]
        return in_order[::-1] if order.backwards else in_order
    if order.after[0] is None:
        here = {"$and": [first, undated]}
        return [here, {"$and": [asked, dated]}] if order.backwards else [here]
    return [first] if order.backwards else [first, {"$and": [asked, undated]}]
