"""Invented patients, their consents, devices and readings, for trying the hub out.

Pure: `plan` and what it stands on turn (seed, patients, days, until) into resources and vendors' payloads. `load` takes
them through the hub's own doors: the repository for resources, the operator for pairings, the pipeline for readings.
"""
