"""Arrays in, arrays out: the numerical kernels (numpy, scipy, numba; no astropy, no input or output)."""
