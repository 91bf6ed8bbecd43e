"""Write, check and verify edited files, each format in its own way."""

from pathlib import Path

from skymatch_nb.io import fits_edit, fits_layout, fits_verify, roman_edit
from skymatch_nb.io.asdf_files import is_asdf
from skymatch_nb.io.edits import Check, FileEdit


def write_edited(edit: FileEdit, target: Path) -> None:
    """As `skymatch_nb.io.fits_edit.write_edited`, of any format."""
    (roman_edit if is_asdf(edit.path) else fits_edit).write_edited(edit, target)


def verify_edited(edit: FileEdit, original: Path, target: Path) -> None:
    """As `skymatch_nb.io.fits_verify.verify_edited`, of any format."""
    (roman_edit if is_asdf(original) else fits_verify).verify_edited(edit, original, target)


def check_edit(edit: FileEdit) -> Check:
    """As `skymatch_nb.io.fits_edit.check_edit`, of any format."""
    return roman_edit.check_edit(edit) if is_asdf(edit.path) else fits_edit.check_edit(edit)


def part_sums(path: Path) -> dict[str, str]:
    """As `skymatch_nb.io.fits_layout.part_sums`, of any format."""
    return roman_edit.part_sums(path) if is_asdf(path) else fits_layout.part_sums(path)
