"""Commands of the documents that need a running shop, typed as they stand there."""

import json
import re
import subprocess

from tests.docs.documents import command, needs
from tests.stack import PROJECT, Stack

KEY = """
from datetime import timedelta
from django.utils import timezone
from apps.core.actors import Role
from apps.core.models import User
from apps.stores import services
from apps.stores.models import Store
print("key:", services.create_key(
    name="docs", scopes=frozenset({Role.ORDERS_READ}), store_id=Store.objects.get(code="CENTRO").id,
    by=User.objects.first().id, at=timezone.now(), expires_at=timezone.now() + timedelta(hours=1),
)[1])
"""


def sh(stack: Stack, text: str) -> str:
    done = subprocess.run(
        ["/bin/sh", "-euc", text], cwd=PROJECT, env=stack.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@needs("make")
def test_doctor_by_make(stack: Stack) -> None:
    assert re.search(r"^ok .*Postgres", sh(stack, command("make doctor")), re.MULTILINE)


@needs("curl")
def test_integrator_reads_orders(stack: Stack) -> None:
    key = stack.manage("shell", "-c", KEY).stdout.partition("key: ")[2].strip()
    given = command("SHOP=").replace("http://127.0.0.1:8000", stack.base_url).replace("bmk_…", key)

    page = json.loads(sh(stack, given + "\n" + command('curl -s "$SHOP')))

    shown = json.dumps(page | {"results": []}).replace("[]", "[…]")
    assert f"answers `{shown}`" in (PROJECT / "docs/integrations.md").read_text()
    assert {order["status"] for order in page["results"]} <= {"finished"}
