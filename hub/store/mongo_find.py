"""A finding and an order as MongoDB filters and sorts. Pure.

The sorts are those that the indexes have (`hub.store.schema`), forwards or wholly backwards, so that none happens in memory.
"""

from collections.abc import Mapping

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


def parts(finding: Finding, order: Order) -> list[Filter]:
    """The queries whose results, one after the other, are the answer in order.

    What has no time comes last, whichever way the times go, and first when going backwards.
    """
    fields, asked = _fields(finding.type), wanted(finding)
    beyond = _beyond(finding.type, order, fields)
    if order.field == "id" and fields is RESOURCE_FIELDS:
        # Row ids begin with their type, so the primary index gives one type in order ("0" follows "/").
        asked = {"$and": [asked, {"_id": {"$gte": f"{finding.type}/", "$lt": f"{finding.type}0"}}]}
    first = {"$and": [asked, beyond]} if beyond else asked
    if order.field != "d" or fields is RECORD_FIELDS:
        return [first]
    dated: Filter = {fields["d"]: {"$ne": None}}
    undated: Filter = {fields["d"]: None}
    if order.after is None:
        # MongoDB has what is missing last when descending and first when ascending: the reverse of our order likewise.
        in_order = [asked] if order.descending else [{"$and": [asked, dated]}, {"$and": [asked, undated]}]
        return in_order[::-1] if order.backwards else in_order
    if order.after[0] is None:
        here = {"$and": [first, undated]}
        return [here, {"$and": [asked, dated]}] if order.backwards else [here]
    return [first] if order.backwards else [first, {"$and": [asked, undated]}]
