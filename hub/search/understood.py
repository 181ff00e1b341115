"""Why a part of a query is not taken. The texts say what to do and never repeat a value.

Under lenient handling only unknown names are left out of account; what is known and wrong is refused always.
"""


class NotTaken(ValueError):
    """The text continues "The search parameter … "."""


class UnknownName(NotTaken):
    """A parameter that this type does not have, or that the hub does not offer."""


class BadName(NotTaken):
    """A parameter that is known, asked for in a way that it is not offered: a modifier, a type, too many hops."""
