"""What PCD-01 means, as rows: message and value types, facets of waveforms. Codes and units: adapters/hl7v2 and the catalogue."""

MESSAGE_TYPE = ("ORU", "R01")
NUMERIC_TYPES = frozenset({"NM", "SN"})
WAVEFORM_TYPE = "NA"

SAMPLE_RATE = "MDC_ATTR_SAMP_RATE"
SAMPLE_RATES = frozenset({SAMPLE_RATE, "MDC_ATTR_SAMPLE_RATE"})
SAMPLE_PERIOD = "MDC_ATTR_TIME_PD_SAMP"
DATA_RANGE = "MDC_ATTR_DATA_RANGE"
RESOLUTION = "MDC_ATTR_SA_MSMT_RES"
NO_SAMPLE = frozenset({"MDC_EVT_DATA_INVALID", "MDC_EVT_DATA_MISSING"})
"""Facets of a waveform, by reference identifier: the field sends 0 for the number of several."""
