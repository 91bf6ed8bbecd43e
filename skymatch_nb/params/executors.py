"""The values of ``executor``: threads of this process, or Dask."""

from typing import Any


def check_client(value: Any) -> Any:
    """Return a `dask.distributed.Client`, told by its class, as the package need not be installed.

    Raises
    ------
    ValueError
        For anything else.
    """
    classes = ((cls.__module__.partition(".")[0], cls.__name__) for cls in type(value).__mro__)
    if ("distributed", "Client") not in classes:
        raise ValueError("must be 'threads', 'dask' or a dask.distributed.Client, such as Client('tcp://host:8786')")
    return value


def format_executor(value: Any) -> str:
    """Value as text can hold it: a client becomes 'dask'."""
    return value if isinstance(value, str) else "dask"
