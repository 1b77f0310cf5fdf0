"""The settings of a real shop: one private file in the RUN_DIR, made at the first ``./run --shop``."""

from collections.abc import Mapping
from pathlib import Path

from breadmate.up.plan import PROJECT


def settings_file(given: Mapping[str, str]) -> Path:
    """Say where a shop's settings are."""
    return PROJECT / (given.get("RUN_DIR") or ".run") / "shop.env"


def with_shop_settings(given: Mapping[str, str]) -> dict[str, str]:
    """Add the shop's settings to an environment, whose own values win; without a shop nothing is added."""
    try:
        lines = settings_file(given).read_text().splitlines()
    except FileNotFoundError:
        return dict(given)
    told = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name.strip(): value.strip() for name, _, value in told} | {
        name: value for name, value in given.items() if value
    }
