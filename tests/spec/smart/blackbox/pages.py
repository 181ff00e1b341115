"""Forms of a page without scripts: what a browser would send when a person fills them in and presses a button."""

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True, kw_only=True)
class Form:
    """`buttons`: (name, value) of each that submits it."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._inside = Form(action=has.get("action", ""), method=has.get("method", "get").lower())
            self.forms.append(self._inside)
        elif self._inside is not None:
            self._part(self._inside, tag, has, checked="checked" in dict(attrs), selected="selected" in dict(attrs))

    def _part(self, form: Form, tag: str, has: dict[str, str], *, checked: bool, selected: bool) -> None:
        name, value, kind = has.get("name", ""), has.get("value", ""), has.get("type", "text" if tag == "input" else "submit")
        if tag in ("input", "button") and kind == "submit":
            form.buttons.append((name, value))
        elif tag == "input" and kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(value)
            if checked:
                form.fields[name] = value
        elif tag == "input" and name:
            form.fields[name] = value
        elif tag == "select":
            self._select = name
            form.choices.setdefault(name, [])
        elif tag == "option" and self._select:
            form.choices[self._select].append(value)
            if selected:
                form.fields[self._select] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = None
        elif tag == "select":
            self._select = ""


def forms_of(html: str) -> list[Form]:
    reader = _Reader()
    reader.feed(html)
    return reader.forms
