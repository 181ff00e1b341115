"""The search types, each in a module of its name (https://hl7.org/fhir/R4/search.html#ptypes)."""

from collections.abc import Mapping

from hub.search.parameters import SearchType
from hub.search.types import date, reference, string, token
from hub.search.types import id as logical_id
from hub.search.value import SearchTypeModule

SEARCH_TYPES: Mapping[SearchType, SearchTypeModule] = {
    "token": token,
    "reference": reference,
    "date": date,
    "string": string,
    "id": logical_id,
}
