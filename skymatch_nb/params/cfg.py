"""TEAL parameter files (``.cfg``): ``name = value`` lines with the names of the parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configobj import ConfigObj, ConfigObjError

from skymatch_nb.errors import ParameterError
from skymatch_nb.params.specs import specs

TASK = "skymatch"
_NOT_PARAMETERS = ("_task_name_", "input", "_RULES_")


def read_cfg(path: Path) -> tuple[dict[str, Any], str]:
    """Values of a parameter file by name, and the input that it names ("" for none).

    Raises
    ------
    ParameterError
        Where the file cannot be read, is for another task, or a value is not of its parameter's kind.
    """
    try:
        content = ConfigObj(str(path), file_error=True, interpolation=False, encoding="utf-8")
    except (OSError, ConfigObjError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: not a parameter file: {str(error).splitlines()[0]}") from None
    task = content.get("_task_name_", TASK)
    if task != TASK:
        raise ParameterError(f"{path}: parameters of the task {task!r}, not of {TASK!r}")
    known = {spec.name: spec for spec in specs()}
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name in _NOT_PARAMETERS:
            continue
        text = ",".join(value) if isinstance(value, list) else str(value)
        values[name] = known[name].parse(text) if name in known else text
    listed = content.get("input", "")
    return values, ",".join(listed) if isinstance(listed, list) else str(listed)


def write_cfg(path: Path, values: Mapping[str, Any], inputs: str) -> None:
    """Write a parameter file that `read_cfg` and TEAL read; an existing file is replaced."""
    content = ConfigObj(interpolation=False)
    content["_task_name_"] = TASK
    content["input"] = inputs
    for spec in specs():
        content[spec.name] = spec.format(values[spec.name])
        content.comments[spec.name] = [f"# {spec.help}"]
    content["_RULES_"] = {}
    lines = content.write()
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
