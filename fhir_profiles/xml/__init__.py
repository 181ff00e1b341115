"""A resource in XML: read into what its JSON says, written from it, and nothing lost on the way there and back.

https://hl7.org/fhir/R4/xml.html. Both directions follow the definitions: they say what repeats, what is a number, what
stands as an attribute and in which order elements come. Whether a value is right is not asked here (`fhir_profiles.r4`).
"""

from fhir_profiles.xml.read import NotFhirXml, from_xml
from fhir_profiles.xml.write import to_xml

__all__ = ["NotFhirXml", "from_xml", "to_xml"]
