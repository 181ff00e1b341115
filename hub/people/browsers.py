"""How a browser is called in the list of one's sessions: so that a person knows their own again, and no more than that."""

from typing import Final

BROWSERS: Final = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
"""The first that the User-Agent names: they all name their forebears too."""
SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_of(user_agent: str) -> str:
    """For instance "Firefox, Windows"; the empty text where nothing is known."""
    found = (next((name for mark, name in rows if mark in user_agent), None) for rows in (BROWSERS, SYSTEMS))
    return ", ".join(name for name in found if name)
