"""What tells whether a file is still the one that was read."""

import os
from pathlib import Path

from skymatch_nb.errors import InputError


def file_stamp(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Size in bytes and modification time in nanoseconds.

    Raises
    ------
    InputError
        Where the file is gone.
    """
    try:
        status = Path(path).stat()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    return status.st_size, status.st_mtime_ns
