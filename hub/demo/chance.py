"""Chance that comes out the same every time."""

from random import Random


def chance(*what: object) -> Random:
    """A source of its own for each thing it is about: what one patient gets never depends on how many others there are."""
    return Random("/".join(map(str, what)))  # noqa: S311 - for plausible values; no secret is made of it
