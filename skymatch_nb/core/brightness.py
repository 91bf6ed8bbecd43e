"""Data units to surface brightness and back."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def brightness_factor(
    pixel_scale: ArrayLike, exptime: ArrayLike = 1.0, inv_sensitivity: ArrayLike = 1.0
) -> NDArray[np.float64]:
    """Surface brightness per data unit, ``S / (p**2 t)``.

    Parameters
    ----------
    pixel_scale
        Side p of a pixel in arcsec.
    exptime
        Exposure time t in seconds for counts; 1 for rates.
    inv_sensitivity
        Inverse sensitivity S (PHOTFLAM, say); 1 where it is not used.

    Returns
    -------
    ndarray
        Multiply a level in data units by it to get brightness (per second and arcsec^2, times S).
    """
    scale = np.asarray(pixel_scale, float)
    factor: NDArray[np.float64] = np.divide(inv_sensitivity, scale * scale * np.asarray(exptime, float))
    return factor
