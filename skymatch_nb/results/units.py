"""How data units become brightness."""

from dataclasses import dataclass

from skymatch_nb.results.base import Floats, Result


@dataclass(frozen=True, eq=False)
class Units(Result):
    """How data units become brightness, per member.

    ``data_type`` is counts, rate, brightness or unknown; ``exptime`` in seconds and NaN where the header has none;
    ``factor`` is brightness per data unit; ``unit`` names the common unit of brightness; ``data_type_from`` tells what
    decided the data type.
    """

    data_type: tuple[str, ...]
    exptime: Floats
    inv_sensitivity: Floats
    pixel_scale: Floats
    factor: Floats
    data_unit: tuple[str, ...]
    unit: str
    data_type_from: tuple[str, ...] = ()

    @property
    def shared_data_unit(self) -> str:
        """Unit of the data where all members have the same; 'data unit' where they differ or have none."""
        first = self.data_unit[0] if self.data_unit else ""
        return first if first and set(self.data_unit) == {first} else "data unit"
