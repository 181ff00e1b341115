"""Shapes in which others want what is stored here: HL7 PHD, ANS Mesures de santé, gematik HDDT. Pure.

What each takes, by which code and in which unit, is data beside this module, read by `tables`.
"""
