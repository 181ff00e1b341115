"""How far a predicate reaches: can its rows be looked up one by one, whatever the number of patients?"""

from hub.search.predicate import AllOf, AnyOf, HasGlobal, IdIs, Predicate


def looks_up(predicate: Predicate) -> bool:
    """Does it name rows by id or by a token that may be looked up across patients? Such rows are few, as a rule."""
    match predicate:
        case HasGlobal() | IdIs():
            return True
        case AllOf(parts):
            return any(looks_up(part) for part in parts)
        case AnyOf(parts):
            return bool(parts) and all(looks_up(part) for part in parts)
        case _:
            return False
