"""The links of a page: opaque, sealed, for the caller alone who got them.

https://hl7.org/fhir/R4/http.html#paging. They say where to go on and nothing more: whoever follows one is asked for
everything again.
"""

from collections.abc import Sequence

from hub.repository import Found, Repository
from hub.search.asked import Pair
from hub.search.page import Cursor, Direction, Position, decode, encode
from security.pages import open_page, seal_page


def caller_binding(repository: Repository) -> str:
    """A page link works for the client and the purpose it was made for, and for nobody else."""
    return f"{repository.caller.client_id} {repository.caller.purpose}"


def cursor_of(target: str, page: str, repository: Repository) -> Cursor:
    """What the link says, if it was given for `target`, what the URL searches. Raises FhirError `not-found`."""
    services = repository.services
    return decode(
        page,
        lambda sealed: open_page(services.page_key, sealed),
        type=target,
        caller=caller_binding(repository),
        now_us=services.clock(),
    )


def pages(target: str, used: Sequence[Pair], found: Found, cursor: Cursor | None, repository: Repository) -> list[tuple[str, str]]:
    """Relations and texts of the pages that there are besides this one."""
    services = repository.services
    expires_us = services.clock() + services.settings.page_link_lifetime_s * 1_000_000
    places: list[tuple[str, Position | None, Direction]] = [
        ("first", None if cursor is None else (), "next"),
        ("previous", found.before, "previous"),
        ("next", found.after, "next"),
    ]
    made = []
    for relation, position, direction in places:
        if position is not None:
            link = Cursor(
                type=target,
                pairs=tuple(used),
                position=position,
                caller=caller_binding(repository),
                started_us=found.started_us,
                expires_us=expires_us,
                direction=direction,
            )
            made.append((relation, encode(link, lambda plain: seal_page(services.page_key, plain))))
    return made
