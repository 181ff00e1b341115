"""The query of a granular scope. https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html#finer-grained-resource-constraints-using-search-parameters"""

from hub.errors import FhirError
from hub.search.parameters import RESOURCE_TYPES
from hub.search.parse import parse_search


def check_scope_query(resource_type: str, query: tuple[tuple[str, str], ...]) -> None:
    """A granular scope is given only if each search could be bound by it; "*" must hold for every type."""
    types = RESOURCE_TYPES if resource_type == "*" else (resource_type,)
    for type in types:
        if type not in RESOURCE_TYPES:
            raise ValueError("this resource type is not offered")
        try:
            parse_search(type, query, lenient=False)
        except FhirError as error:
            raise ValueError(str(error)) from error
