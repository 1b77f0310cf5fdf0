"""The whole shop with one command: ``./run`` ends in ``python -m breadmate.up``.

A supervisor of the standard library alone. It starts Postgres and Valkey from their wheels, brings the database up to
date, starts the five processes of BreadMate, keeps them alive, and takes everything down in order.

``plan`` reads the environment, ``servers`` knows Postgres and Valkey, ``children`` holds one child process, ``leash``
ties children to their parent, ``screen`` prints, ``supervisor`` is the order of things. ``install`` is not part of it:
``./run`` and ``./test`` call that file by its path with the system's Python, before ``.venv`` exists.
"""
