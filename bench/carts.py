"""The carts that are ordered: three lines, two of them with options."""

import random
from typing import Any

CARTS = 400
SEED = 20


def carts(world: dict[str, Any], kind: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return store, token and body of many checkouts: ``spread`` over all stores, or ``hot``: one store, one product in each."""
    chance = random.Random(SEED)  # noqa: S311 - carts, not secrets
    stores = world["stores"][:1] if kind == "hot" else world["stores"]
    plain = [place for place, options in enumerate(world["options"]) if not options]
    rich = [place for place, options in enumerate(world["options"]) if options]
    found = []
    for number in range(CARTS):
        store = stores[number % len(stores)]
        first = plain[0] if kind == "hot" else chance.choice(plain)
        items = [{"product": world["products"][first], "quantity": 1}]
        for place in chance.sample(rich, 2):
            option = chance.choice(world["options"][place])
            items.append(
                {
                    "product": world["products"][place],
                    "quantity": chance.randint(1, 2),
                    "options": [{"option": option, "quantity": 1}],
                }
            )
        chance.shuffle(items)
        found.append((store["id"], chance.choice(store["tokens"]), {"dining_option": "eat_in", "items": items}))
    return found
