"""What the adapters that read FHIR share: references inside a Bundle, codes, values, times, devices, and what is kept of an item."""
