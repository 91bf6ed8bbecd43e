"""What a session writes to its inputs, and how that is undone."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from skymatch_nb import tables
from skymatch_nb.errors import InputError, SkyMatchError
from skymatch_nb.executor import Work
from skymatch_nb.io.inputs import ImageSpec
from skymatch_nb.io.stamps import file_stamp
from skymatch_nb.io.writer import undo
from skymatch_nb.log import applied_lines, write_log
from skymatch_nb.session.keeping import SessionKeeping
from skymatch_nb.steps.apply import write


class SessionWriting(SessionKeeping):
    """Writing levels to files and objects."""

    def apply(self) -> pd.DataFrame:
        """Write the solution to the files (``readonly=False``), or report what would be written; return the table.

        With ``subtractsky`` the levels are subtracted from the pixels and added to the keyword's value, else the
        keyword gets the levels. Each file is written whole or not at all, and the originals are kept for `undo`.
        Of objects in memory, edited copies are made (`edited_objects`) unless ``in_place`` is set. Afterwards the
        tables still tell of the files as they were; `load` reads them anew.

        Raises
        ------
        SkyMatchError
            Where this solution was applied before, values of another kind would be lost or mixed, or a file cannot
            be written; nothing is changed then.
        """
        if self.params.readonly:
            return self.applied
        loaded, units, solution, planned = self._pipeline.require("group", "units", "solve", "plan")
        with self._pipeline.lock:
            if solution.key in self._written:
                raise SkyMatchError("this solution was applied before; load() reads the files as they are now")
            for path, stamp in (self._stamps | self._beside).items():
                if file_stamp(path) != stamp:
                    ours = any(str(path) in before.paths for before in self._written.values())
                    how = "was written by this session's last apply()" if ours else "has changed since it was loaded"
                    raise InputError(f"{path}: the file {how}; call load() again")
            done = write(
                planned.key,
                self._given.specs,
                loaded,
                planned,
                self.params,
                self.provenance(),
                Work(1, self._pipeline.progress),
            )
            self._written[solution.key] = done
        applied = tables.applied_table(loaded, units, done)
        if self.params.logfile is not None:
            write_log(self.params.logfile, applied_lines(applied))
        return applied

    def undo(self, *, everything: bool = False) -> pd.DataFrame:
        """Restore the files of the last `apply` bit for bit, and return what was done to each.

        In a new session these are its input files, as an earlier session has written them. Where an earlier run is
        still applied afterwards, the column ``notes`` says so. Objects in memory that were edited in place stay as
        they are.

        Parameters
        ----------
        everything
            Whether to go back over all runs whose originals are kept, to the oldest.

        Raises
        ------
        InputError
            Where a file has changed since, or nothing was written; nothing is restored then.
        """
        key, done = next(reversed(self._written.items())) if self._written else ("", None)
        paths = list(self._stamps) if done is None else [Path(path) for path in dict.fromkeys(done.paths)]
        held = [spec.payload for spec in self._given.specs if not isinstance(spec, ImageSpec)]
        in_place = done is not None and any(made is item for made in done.objects for item in held)
        if in_place and not paths:
            raise InputError("nothing was undone: objects in memory that were edited in place stay as they are")
        outcomes = undo(paths, everything=everything)
        if done is not None and in_place:
            self._written[key] = replace(done, paths=())  # it would be applied to them twice
        elif everything:
            self._written.clear()
        else:
            self._written.pop(key, None)
        rows = [{"file": str(o.path), "status": o.status, "notes": "; ".join(o.notes)} for o in outcomes]
        return pd.DataFrame(rows, columns=["file", "status", "notes"]).set_index("file")

    @property
    def edited_objects(self) -> tuple[Any, ...]:
        """Edited copies of the objects in memory, or the objects (``in_place``), from the last `apply` that wrote."""
        return next(reversed(self._written.values())).objects if self._written else ()
