"""``python -m neuroai`` is the command ``neuroai``."""

import sys

from neuroai.cli import main

if __name__ == "__main__":
    sys.exit(main())
