"""What kind of question a predicate is, whatever it asks for: the words in which plans are tested and explained. Pure.

Which index answers which shape is held by tests/spec/search/test_index_plan.py.
"""

from collections.abc import Mapping

from hub.search.predicate import AllOf, AnyOf, Between, HasGlobal, HasToken, IdIs, Naming, Not, PatientIs, Patientless, Predicate

NOTHING, ANYTHING, TYPE = "nothing", "anything", "type"
_BETWEEN = {"d": "start", "e": "end", "lu": "updated"}
_LEAVES: Mapping[type, str] = {HasGlobal: "across", PatientIs: "patient", Naming: "named", Patientless: "nobody", IdIs: "id"}


def shape(predicate: Predicate, of_type: bytes) -> str:
    """Names of its leaves, each once, and how they are combined. `of_type`: the token of the resource type.

    token     a token within `k`            across   one in `g`, looked up across patients
    patient   whose compartment it is       named    whom it names besides
    id        the logical id                nobody   in no compartment
    start, end, updated                     a range of times
    """
    match predicate:
        case HasToken(any_of) | HasGlobal(any_of) | PatientIs(any_of) | Naming(any_of) if not any_of:
            return NOTHING
        case HasToken(any_of):
            return TYPE if any_of == {of_type} else "token"
        case Between(field):
            return _BETWEEN[field]
        case AllOf(parts):
            return " + ".join(sorted({one for part in parts for one in shape(part, of_type).split(" + ")})) or ANYTHING
        case AnyOf(parts):
            kinds = sorted({shape(part, of_type) for part in parts})
            return f"either({', '.join(kinds)})" if len(kinds) > 1 else kinds[0] if kinds else NOTHING
        case Not(part):
            return f"not({shape(part, of_type)})"
        case leaf:
            return _LEAVES[leaf.__class__]
