"""What Oura's heart rates mean. https://cloud.ouraring.com/v2/docs, usercollection/heartrate"""

HEART_RATE, UNIT = "heart-rate", "/min"
MEASURES = (HEART_RATE,)
FIELDS = ("timestamp", "bpm", "source")
SOURCES = frozenset({"awake", "rest", "sleep", "session", "live", "workout"})
"""What the person did; a word of ours for it does not exist, it stays in the kept bytes. Another word is no reason to refuse a rate."""
