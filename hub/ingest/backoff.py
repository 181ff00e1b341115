"""How long to wait before something that failed is tried again."""

RETRY_S, RETRY_MAX_S = 0.5, 60.0


def backoff_s(failures: int, chance: float) -> float:
    """Twice as long each time, up to a minute, and somewhere between half of that and all of it."""
    most: float = min(RETRY_MAX_S, RETRY_S * 2 ** min(failures - 1, 10))
    return most * (0.5 + chance / 2)
