"""Entry point of ``python -m breadmate.up``."""

import sys

from breadmate.up.supervisor import main

if __name__ == "__main__":
    sys.exit(main())
