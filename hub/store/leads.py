"""Which indexes can lead to the rows of a question, by its shape (`hub.search.shape`). MongoDB chooses among them.

Held by tests/spec/search/test_index_plan.py: no other index is ever chosen.
"""

import re
from collections.abc import Mapping

from hub.store.mongo_find import AUDIT_TYPE, LASTING, LASTING_OF_PATIENT
from hub.store.protocol import Order
from hub.store.schema import MAIN_INDEX

BY_ID, BY_START, BY_UPDATE = "_id_", "t_1_d_-1__id_1", "t_1_lu_1__id_1"
LEADS: Mapping[str, tuple[str, ...]] = {
    "id": (BY_ID,),
    "across": ("g_1_t_1_present_g",),
    "named": ("q_1_present_q",),
    "patient": (MAIN_INDEX,),
    "token": (MAIN_INDEX,),
    "end": (BY_START, LASTING, LASTING_OF_PATIENT),
    "start": (BY_START,),
    "updated": (BY_UPDATE,),
    "type": (MAIN_INDEX, BY_START),
}
BY_TIME = "t_-1__id_1"
LEADS_OF_LOG: Mapping[str, tuple[str, ...]] = {
    "id": (BY_ID,),
    "patient": ("p_1_t_-1__id_1",),
    "token": ("k_1_t_-1__id_1",),
    "across": ("k_1_t_-1__id_1",),
    "end": (BY_TIME,),
    "start": (BY_TIME,),
    "updated": (BY_TIME,),
    "type": ("k_1_t_-1__id_1", BY_TIME),
}
_ORDERED: Mapping[str, str] = {"d": BY_START, "lu": BY_UPDATE, "id": BY_ID}
_NEGATED = re.compile(r"not\([^()]*\)")


def leads(type: str, shape: str, order: Order | None) -> tuple[str, ...]:
    """Names of indexes (`hub.store.schema`), the narrowest first; last the one that has the order (none: by opening)."""
    table = LEADS_OF_LOG if type == AUDIT_TYPE else LEADS
    words = set(re.findall("[a-z]+", _NEGATED.sub("", shape)))
    found = [name for word, names in table.items() if word in words for name in names]
    field = "id" if order is None else order.field
    return tuple(dict.fromkeys([*found, BY_TIME if type == AUDIT_TYPE and field != "id" else _ORDERED[field]]))
