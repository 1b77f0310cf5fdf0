"""What is told when the shop is open: to programs in ``demo.json``, to people in a table."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from breadmate.up.plan import PROJECT, Plan, write_private
from breadmate.up.screen import Screen

PAGES = {"kiosk": "/kiosk/", "kitchen": "/kitchen/", "panel": "/panel/", "admin": "/admin/", "docs": "/api/v1/docs/"}
GREEN = 32


def write_demo(wanted: Plan, path: Path) -> dict[str, Any]:
    """Complete what ``manage.py prepare`` wrote (stores with device tokens, logins) by where everything is."""
    try:
        demo = dict(json.loads(path.read_text()))
    except (FileNotFoundError, ValueError):
        demo = {}
    first_run = {"set_up": f"{wanted.public_url}{demo['set_up']}"} if "set_up" in demo else {}
    demo = {
        "base_url": wanted.public_url,
        "stream_url": wanted.stream_url,
        "simulator_url": wanted.simulator_url,
        "stores": demo.get("stores", []),
        "staff": demo.get("staff", {}),
        "pages": {name: wanted.public_url + page for name, page in PAGES.items()},
        **first_run,
    }
    write_private(path, json.dumps(demo, indent=1, ensure_ascii=False) + "\n")
    return demo


def ready(wanted: Plan, demo: dict[str, Any], seconds: float, screen: Screen) -> Iterator[str]:
    """Give the lines that say where to look and how to get in."""
    titles = {"kiosk": "Kiosk", "kitchen": "Kitchen board", "panel": "Pick-up panel", "admin": "Admin", "docs": "API"}
    yield ""
    yield screen.paint(f"  READY in {seconds:.1f} s", GREEN)
    yield ""
    for name, title in titles.items():
        yield f"  {title:<16}{demo['pages'][name]}"
    if wanted.simulator_url:
        yield f"  {'Payments':<16}{wanted.simulator_url}/  (simulated: nobody is charged)"
    if "set_up" in demo:
        yield ""
        yield f"  {'Set up':<16}{demo['set_up']}  (a new shop: open this to begin)"
    staff = demo["staff"]
    if staff:
        width = max(len(str(login["email"])) for login in staff.values())
        yield ""
        yield f"  {'Demo login':<16}{'e-mail':<{width}}  password"
        for role, login in staff.items():
            yield f"  {role:<16}{login['email']:<{width}}  {login['password']}"
    yield ""
    yield f"  Logs are in {_short(wanted.run_dir / 'log')}. Stop with Ctrl-C."
    yield ""


def _short(path: Path) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)
