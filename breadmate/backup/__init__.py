"""Backups of one shop: a sealed copy of everything each night, what is written since within seconds, and the way back.

``vault`` knows the folder they are kept in, ``age`` seals and opens, ``keeper`` is the process that ``./run`` keeps alive,
``restoring`` brings a backup back to life, for good or as a drill. ``python -m breadmate.backup`` is for people.
"""
