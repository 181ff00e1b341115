"""The signed report for people: one page in each language, in one file each, with nothing fetched from elsewhere."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from jinja2 import Environment, PackageLoader, StrictUndefined

from hub.cli.kit.report import fingerprint
from hub.cli.kit.words import Language, rule_text, said

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_ENVIRONMENT: Final = Environment(loader=PackageLoader("hub.cli.kit"), undefined=StrictUndefined, autoescape=True)


def page(document: Mapping[str, Any], language: Language, other: str) -> str:
    """HTML of a signed report. `other` is the file of the other language."""
    content = document["report"]
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for result in content["results"]:
        told = {**result, "text": rule_text(language, result["id"], result["text"])}
        groups.setdefault(result["group"], []).append(told)
    return _ENVIRONMENT.get_template("report.html").render(
        report=content,
        key=fingerprint(document),
        words=said(language),
        language=language,
        other=other,
        other_language="fr" if language == "en" else "en",
        groups=groups,
    )
