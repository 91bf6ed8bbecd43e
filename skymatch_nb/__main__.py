"""The command line, as ``skymatch-nb`` and as ``python -m skymatch_nb``."""

import gc
import sys

RARELY = 100_000
"""New objects after which garbage is looked for; commands are short, and most of what they make is modules."""


def main() -> int:
    """Run the command that was given; nothing looks for garbage while modules are read, which all stay."""
    gc.disable()
    try:
        from skymatch_nb.cli import main as run
    except KeyboardInterrupt:
        print("skymatch-nb: stopped", file=sys.stderr)
        return 130
    gc.freeze()
    gc.set_threshold(RARELY)
    gc.enable()
    return run()


if __name__ == "__main__":
    sys.exit(main())
