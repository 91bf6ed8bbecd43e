"""``python -m skymatch_nb`` is the command line."""

import sys

from skymatch_nb.cli import main

if __name__ == "__main__":
    sys.exit(main())
