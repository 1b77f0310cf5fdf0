"""Dates in figures: spelled out, as Django has them, two of them alone fill a list's width."""

DATE_FORMAT = "d/m/Y"
DATETIME_FORMAT = "d/m/Y H:i"
