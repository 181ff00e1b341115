"""What Withings' ECG data mean, as rows. https://developer.withings.com/api-reference#tag/heart"""

LEAD_OF_WRIST, LEAD = "ecg-lead-i", "ecg-lead-unspecified"
WRISTS = {0, 1}
"""`wearposition` of a watch: the other hand closes the circle, which is lead I."""

FREQUENCY_MAX_HZ = 10_000
HEAD_FIELDS = ("deviceid", "hash_deviceid", "model", "model_id", "timestamp", "modified", "timezone")
ECG_FIELDS = ("signalid", "afib", "sampling_frequency", "wearposition")
PRESSURE_FIELDS = ("systole", "diastole")
MEASURES = ("blood-pressure", "ecg-classification", LEAD_OF_WRIST, LEAD, "heart-rate", "heart-rate-ecg")
