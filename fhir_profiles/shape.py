"""A part of a resource, as `_summary` and `_elements` ask for it.

https://hl7.org/fhir/R4/search.html#summary, https://hl7.org/fhir/R4/search.html#elements. What is left is marked as SUBSETTED, so
that nobody takes it for the whole and writes it back. What gives everything else another meaning (implicit rules, modifier
extensions) and what the definition requires stays, whatever was asked for.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, Literal

from fhir_profiles.definitions import Definition, Element, definition

Json = Mapping[str, Any]
Summary = Literal["true", "text", "data"]

SUBSETTED: Final = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED", "display": "subsetted"}

_ALWAYS: Final = frozenset({"resourceType", "id", "meta", "implicitRules", "modifierExtension"})


def shaped(resource: Json, *, summary: Summary | None = None, elements: Collection[str] = ()) -> dict[str, Any]:
    """What is asked for of a resource of R4, in the order in which it stands there; the resource itself is not touched.

    summary   None leaves everything
    elements  names of elements at the top, of a choice without its type ("value") or with it; goes before `summary`
    """
    whole = definition(resource["resourceType"])
    if elements:
        names = frozenset(elements)
        return _marked(_kept(resource, whole, lambda element, name: element.name in names or name in names))
    match summary:
        case "true":
            return _marked(_summarised(resource, whole))
        case "text":
            return _marked(_kept(resource, whole, lambda element, _: element.name == "text"))
        case "data":
            return _marked({name: item for name, item in resource.items() if name != "text"})
        case None:
            return dict(resource)


def _kept(resource: Json, whole: Definition, wanted: Callable[[Element, str], bool]) -> dict[str, Any]:
    def stays(name: str) -> bool:
        element = whole.named[name].element
        return element.minimum > 0 or wanted(element, name)

    return {name: item for name, item in resource.items() if name in _ALWAYS or stays(name.removeprefix("_"))}


def _summarised(content: Json, inside: Definition) -> dict[str, Any]:
    """Elements that are marked as part of a summary, and of these again what is marked."""
    made = {}
    for name, item in content.items():
        known = inside.named.get(name.removeprefix("_"))
        if known is None or name in _ALWAYS:  # the type of a resource
            made[name] = item
            continue
        element, type = known
        if not (element.is_summary or element.minimum):
            continue
        if name.startswith("_") or type.is_primitive or type.code in {"Resource", "Extension"}:
            made[name] = item
        else:
            below = definition(element.structure or type.profile or type.code)
            made[name] = [_part(one, below) for one in item] if element.many else _part(item, below)
    return made


def _part(content: Json, inside: Definition) -> Json:
    """An element needs more than its id (ele-1): where a summary would leave no more, it stays as it is."""
    made = _summarised(content, inside)
    return made if made.keys() - {"id"} else content


def _marked(content: dict[str, Any]) -> dict[str, Any]:
    """With the tag, in the place of `meta`: after the id where there is none yet."""
    meta = content.get("meta", {})
    tags = [tag for tag in meta.get("tag", ()) if (tag.get("system"), tag.get("code")) != (SUBSETTED["system"], SUBSETTED["code"])]
    marked = {"meta": {**meta, "tag": [*tags, SUBSETTED]}}
    head: dict[str, Any] = {name: content[name] for name in ("resourceType", "id") if name in content}
    return {**head, **marked, **{name: item for name, item in content.items() if name != "meta"}}
