"""The page between a button and what cannot be undone: it says what will happen, and the form on it does it."""

from collections.abc import Mapping

from starlette.responses import Response

from hub.console.words import Said
from hub.desk import Desk

SURE_WORDS: Mapping[str, Said] = {
    "sure-no": Said("No, go back", "Non, revenir"),
}


def sure(desk: Desk, words: Mapping[str, Said], *, title: str, what: str, name: str, act: str, back: str) -> Response:
    """`title`, `what`: keys of `words`. `act`: where the form leads; `back`: where the other way leads."""
    return desk.page("desk_sure.html", {**SURE_WORDS, **words}, title=title, what=what, name=name, act=act, back=back)
