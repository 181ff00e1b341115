"""The search types, each in a module of its name (https://hl7.org/fhir/R4/search.html#ptypes)."""

from collections.abc import Mapping

from hub.search.row import SearchType
from hub.search.types import composite, date, number, quantity, reference, string, token, uri
from hub.search.types import id as logical_id
from hub.search.value import SearchTypeModule

SEARCH_TYPES: Mapping[SearchType, SearchTypeModule] = {
    "token": token,
    "reference": reference,
    "date": date,
    "string": string,
    "number": number,
    "quantity": quantity,
    "uri": uri,
    "composite": composite,
    "id": logical_id,
}
