"""What a session leaves behind: documents, scripts, commands, notebooks and logs; one thin method each."""

import json
import warnings
from os import PathLike
from pathlib import Path
from typing import Any, Self

from skymatch_nb import tables
from skymatch_nb.errors import ParameterError, SkyMatchWarning
from skymatch_nb.log import solution_lines, write_log
from skymatch_nb.params import SkyMatchParams
from skymatch_nb.report import check_folder, write_text
from skymatch_nb.saved import (
    differences,
    notebook,
    provenance,
    python_script,
    read_document,
    session_document,
    shell_command,
)
from skymatch_nb.session.status import SessionStatus
from skymatch_nb.session.tables import SessionTables
from skymatch_nb.steps.registry import LOCAL_METHODS, Keys


class SessionKeeping(SessionTables, SessionStatus):
    """Ways to keep a session, and to repeat it."""

    def log(self) -> list[str]:
        """Log of the solution, line by line; solves first where needed."""
        sky, seconds = self.sky, sum(self._pipeline.seconds.values())
        residuals = None if self.params.skymethod in LOCAL_METHODS else self.residuals
        (masks,) = self._pipeline.require("mask")
        members = self.members.assign(masked=[bool(sources) for sources in masks.user])
        return solution_lines(self._summary(), members, residuals, sky, seconds)

    def provenance(self) -> dict[str, Any]:
        """Where the results come from: version, time, parameters, files with sizes and SHA-256 hashes.

        Raises
        ------
        InputError
            Where a file has changed since it was loaded, so that what it was cannot be told any more.
        """
        return provenance(self._given.specs, self._portable_params(), self._stamps, self._beside)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write parameters, inputs with their hashes, and the tables to a JSON file; solves first where needed.

        Raises
        ------
        InputError
            Where the session holds objects, arrays or functions, which a file cannot hold.
        """
        check_folder(Path(path))
        names = ("members", "overlaps", "sky", "residuals")
        found = {name: tables.to_records(getattr(self, name)) for name in names}
        document = session_document(self._given.specs, self._given.masks, self._given.dq, self.provenance, found)
        return write_text(Path(path), json.dumps(document, indent=1, allow_nan=False) + "\n")

    @classmethod
    def open(cls, path: str | PathLike[str], **options: Any) -> Self:
        """Reopen a saved session; its tables are made again, from the same files, when they are asked for.

        Files that have changed since are named in a warning, and so are, when they have been made again, levels that
        differ from the saved ones. ``options`` are `workers` and `progress`.

        Raises
        ------
        InputError
            Where the document cannot be read or a file is gone.
        """
        specs, apart, document, changed = read_document(Path(path))
        for name in changed:
            warnings.warn(f"{name} has changed since the session was saved", SkyMatchWarning, stacklevel=2)
        session = cls(specs, masks=apart["masks"], dq=apart["dq"], **options, **document["params"])
        session._saved = (Keys().current("solve", session._given, session.params), document)
        return session

    def to_script(self) -> str:
        """Python code that makes the same tables."""
        return python_script(self._given.specs, self._given.masks, self._given.dq, self._portable_params())

    def to_notebook(self, path: str | PathLike[str]) -> Path:
        """Write a Jupyter notebook that makes the same tables and shows the panel; a file of that name is replaced.

        Raises
        ------
        ParameterError
            Where the name does not end in .ipynb, or its folder is missing.
        InputError
            As `to_script`.
        """
        if Path(path).suffix != ".ipynb":
            raise ParameterError(f"{path}: the name of a notebook must end in .ipynb")
        check_folder(Path(path))
        document = notebook(self.to_script(), self.params)
        return write_text(Path(path), json.dumps(document, indent=1) + "\n")

    def to_command(self) -> str:
        """Shell command that prints the same sky table."""
        return shell_command(self._given.specs, self._given.masks, self._given.dq, self._portable_params())

    def write_skyfile(self, path: str | PathLike[str]) -> Path:
        """Write file names and levels in data units, two columns, as AstroDrizzle's ``skyfile`` parameter reads them.

        Exposures without a level are left out, with a comment.

        Raises
        ------
        SkyMatchError
            Where chips of one file differ in their data units, so that one value cannot serve all.
        """
        check_folder(Path(path))
        return write_text(Path(path), tables.sky_lines(self.members, self.sky))

    def _portable_params(self) -> SkyMatchParams:
        """Parameters as text can hold them: a function that forms groups becomes what it returned."""
        if not callable(self.params.group_by):
            return self.params
        (loaded,) = self._pipeline.require("group")
        return self.params.changed(group_by={m.name: m.group for m in loaded.members})

    def _solved(self) -> None:
        """Whenever a solution was asked for: compare it with what was saved, and log it where it was not yet."""
        solution = self._pipeline.results["solve"]
        key, saved = self._saved
        if solution.key == key:
            self._saved = ("", {})
            if text := differences(saved, self.sky):
                self._pipeline.warn(text)
        if self.params.logfile is not None:
            self._log_once(self.params.logfile, solution.key)

    def _log_once(self, logfile: str, key: str) -> None:
        """Write the log of the fresh solution, once to each log file."""
        entry = (str(Path(logfile).absolute()), key)
        if entry in self._logged:
            return
        self._logged.add(entry)  # first, as the log asks for the solution too
        try:
            write_log(logfile, self.log())
        except BaseException:
            self._logged.discard(entry)
            raise
