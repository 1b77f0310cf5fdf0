"""Looking for garbage less often, in processes that keep a whole Django in memory."""

import gc

GARBAGE_BEFORE_A_LOOK = 20_000


def look_seldom() -> None:
    """Let what is loaded stay for good, and what comes pile up before it is looked through. Once, when all is loaded."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_BEFORE_A_LOOK)
