"""TEAL parameter files (``.cfg``): ``name = value`` lines with the names of the parameters."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from configobj import ConfigObj, ConfigObjError

from skymatch_nb.errors import ParameterError
from skymatch_nb.params.specs import ParamSpec, specs

TASK = "skymatch"
PUBLISHED = (
    "skymethod", "match_down", "skystat", "lower", "upper", "nclip", "lsigma", "usigma", "binwidth", "skyuser_kwd",
    "units_kwd", "invsens_kwd", "readonly", "subtractsky", "dq_bits", "optimize", "clobber", "clean", "verbose",
    "logfile",
)  # fmt: skip
"""Parameters of the published task."""
NOT_PARAMETERS = ("_task_name_", "input", "_RULES_")


def read_cfg(path: Path) -> tuple[dict[str, Any], str]:
    """Values of a parameter file by name, and the input that it names ("" for none).

    Raises
    ------
    ParameterError
        Where the file cannot be read, is for another task, or a value is not of its parameter's kind.
    """
    try:
        content = ConfigObj(str(path), file_error=True, interpolation=False, encoding="utf-8")
    except OSError as error:
        raise ParameterError(f"{path}: {error.strerror or 'no such file'}") from None
    except (ConfigObjError, UnicodeDecodeError) as error:
        raise ParameterError(f"{path}: not a parameter file: {str(error).splitlines()[0]}") from None
    task = content.get("_task_name_", TASK)
    if task != TASK:
        raise ParameterError(f"{path}: parameters of the task {task!r}, not of {TASK!r}")
    known = {spec.name: spec for spec in specs()}
    values: dict[str, Any] = {}
    for name, value in content.items():
        if name in NOT_PARAMETERS:
            continue
        text = ",".join(value) if isinstance(value, list) else str(value)
        values[name] = _value(known[name], text) if name in known else text
    listed = content.get("input", "")
    return values, ",".join(listed) if isinstance(listed, list) else str(listed)


def _value(spec: ParamSpec, text: str) -> Any:
    """Value of a text; an empty field of an optional parameter is None, as TEAL writes it."""
    return None if spec.optional and not text.strip() else spec.parse(text)


def write_cfg(path: Path, values: Mapping[str, Any], inputs: str) -> None:
    """Write a parameter file that `read_cfg` and TEAL read; an existing file is replaced.

    Parameters that the published task lacks are written only where they are not default: it refuses names that it
    does not know.
    """
    content = ConfigObj(interpolation=False)
    content["_task_name_"] = TASK
    content["input"] = inputs
    for spec in specs():
        if spec.name not in PUBLISHED and values[spec.name] == spec.default:
            continue
        content[spec.name] = spec.format(values[spec.name])
        content.comments[spec.name] = [f"# {spec.help}"]
    content["_RULES_"] = {}
    lines = content.write()
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
