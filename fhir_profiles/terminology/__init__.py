"""Code systems and value sets that the hub ships, and the questions that can be asked of them. Pure.

What other rooms call: `members`, `descendants` and `ancestors` for searches and bindings, `expand` and `validate_code` for
the operations. https://hl7.org/fhir/R4/terminology-module.html
"""

from fhir_profiles.terminology.errors import TerminologyError
from fhir_profiles.terminology.membership import ancestors, descendants, members

__all__ = ["TerminologyError", "ancestors", "descendants", "members"]
