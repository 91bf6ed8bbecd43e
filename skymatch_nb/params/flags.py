"""Data quality flags of instruments, as tables: bit, name and meaning of each.

Names are those of the agency where it has some, else ours; docs/flags.md lists all with their sources.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One flag: its ``bit`` as a power of 2, its ``name`` in capitals, and its ``meaning`` in a few words."""

    bit: int
    name: str
    meaning: str


def flag_table(telescope: str, instrument: str, detector: str) -> tuple[Flag, ...]:
    """Flags of an instrument, by their bits; empty where they are not known.

    ``telescope``, ``instrument`` and ``detector`` are the header's TELESCOP, INSTRUME and DETECTOR.
    """
    words = tuple(word.strip().upper() for word in (telescope, instrument, detector))
    return next((TABLES[words[:n]] for n in (3, 2, 1) if words[:n] in TABLES), ())


def usual_bad(telescope: str) -> tuple[str, ...]:
    """Names of the flags that alone make a pixel bad by default; empty where all flags do."""
    return _USUAL_BAD.get(telescope.strip().upper(), ())


def all_names() -> frozenset[str]:
    """Every name in any of the tables."""
    return frozenset(flag.name for table in TABLES.values() for flag in table)


def _table(*rows: tuple[int, str, str]) -> tuple[Flag, ...]:
    return tuple(Flag(*row) for row in rows)


_ACS = _table(
    (1, "LOST", "lost during compression (Reed-Solomon error)"),
    (2, "FILLED", "replaced by a fill value"),
    (4, "BADPIX", "bad detector pixel, or vignetted"),
    (8, "MASKED", "masked by an aperture feature (HRC occulting finger)"),
    (16, "HOT", "hot pixel"),
    (32, "UNSTABLE", "unstable dark current (before 2017: CTE tail)"),
    (64, "WARM", "warm pixel"),
    (128, "BADCOL", "bias structure, mostly bad columns"),
    (256, "SATURATED", "full-well saturated"),
    (512, "BADREF", "bad in a reference file (flat, polarizer, dust)"),
    (1024, "TRAP", "charge trap or sink pixel"),
    (2048, "ATODSAT", "A/D converter saturated"),
    (4096, "CRDRIZ", "cosmic ray or artifact found by AstroDrizzle"),
    (8192, "CRREJ", "cosmic ray found by ACSREJ"),
    (16384, "USER", "flagged by hand"),
)

_WFC3_UVIS = _table(
    (1, "LOST", "lost during compression (Reed-Solomon error)"),
    (2, "FILLED", "replaced by a fill value"),
    (4, "BADPIX", "bad detector pixel, or beyond the aperture"),
    (8, "MASKED", "masked by an aperture feature"),
    (16, "HOT", "hot pixel"),
    (32, "CTE", "CTE tail"),
    (64, "WARM", "warm pixel"),
    (128, "BADBIAS", "bad bias value"),
    (256, "SATURATED", "full-well saturated"),
    (512, "BADREF", "bad flat field value"),
    (1024, "TRAP", "charge trap or sink pixel"),
    (2048, "ATODSAT", "A/D converter saturated"),
    (4096, "CRDRIZ", "cosmic ray or artifact found by AstroDrizzle"),
    (8192, "CRREJ", "cosmic ray, rejected when images were combined"),
    (16384, "CROSSTALK", "ghost or crosstalk"),
    (32768, "USER", "flagged by hand"),
)

_WFC3_IR = _table(
    (1, "LOST", "lost during compression (Reed-Solomon error)"),
    (2, "FILLED", "replaced by a fill value"),
    (4, "BADPIX", "bad detector pixel, or beyond the aperture"),
    (8, "BADZERO", "deviant zero-read pixel"),
    (16, "HOT", "hot pixel"),
    (32, "UNSTABLE", "unstable pixel"),
    (64, "WARM", "warm pixel"),
    (128, "BADBIAS", "bad bias value"),
    (256, "SATURATED", "full-well saturated"),
    (512, "BADREF", "bad flat field value, or blob"),
    (1024, "SPIKE", "cosmic ray spike in the ramp"),
    (2048, "ZEROSIG", "signal in the zero read, corrected for"),
    (4096, "CRDRIZ", "cosmic ray or artifact found by AstroDrizzle"),
    (8192, "CRREJ", "cosmic ray found in the ramp"),
    (16384, "CRMAX", "more than the maximum number of cosmic rays"),
    (32768, "USER", "flagged by hand"),
)

_WFPC2 = _table(
    (1, "LOST", "Reed-Solomon error: lost in transmission or compression"),
    (2, "BADREF", "defect of a calibration file"),
    (4, "BADPIX", "permanent camera defect"),
    (8, "ATODSAT", "A/D converter saturated"),
    (16, "MISSING", "missing data"),
    (32, "OTHER", "bad for another reason"),
    (128, "TRAP", "permanent charge trap"),
    (256, "ABOVE_TRAP", "questionable, above a charge trap"),
    (512, "WARM", "warm pixel, not repaired"),
    (1024, "WARM_REPAIRED", "warm pixel, repaired"),
    (2048, "CHIP", "the whole chip is masked out"),
)

_STIS_CCD = _table(
    (1, "SOFTERR", "Reed-Solomon error"),
    (2, "DATALOST", "replaced by a fill value"),
    (4, "DETECTORPROB", "bad detector pixel, or beyond the aperture"),
    (8, "DATAMASKED", "masked by the occulting bar"),
    (16, "HOTPIX", "hot pixel"),
    (32, "LARGEBLEM", "large blemish"),
    (128, "OVERSCAN", "overscan, used for the bias level"),
    (256, "SATPIXEL", "saturated"),
    (512, "CALIBDEFECT", "bad in a reference file"),
    (1024, "SMALLBLEM", "small blemish"),
    (8192, "DATAREJECT", "rejected when images were combined"),
    (16384, "NOT_CTI_CORR", "not corrected for charge transfer"),
)

_SHARED = _table(
    (1, "DO_NOT_USE", "bad pixel, do not use"),
    (2, "SATURATED", "saturated during the exposure"),
    (4, "JUMP_DET", "jump (cosmic ray) during the exposure"),
    (8, "DROPOUT", "data lost in transmission"),
    (32, "PERSISTENCE", "high persistence"),
    (64, "AD_FLOOR", "below the A/D floor"),
    (512, "NON_SCIENCE", "not on the science part of the detector"),
    (1024, "DEAD", "dead pixel"),
    (2048, "HOT", "hot pixel"),
    (4096, "WARM", "warm pixel"),
    (8192, "LOW_QE", "low quantum efficiency"),
    (32768, "TELEGRAPH", "telegraph noise"),
    (65536, "NONLINEAR", "highly nonlinear"),
    (131072, "BAD_REF_PIXEL", "reference pixel that cannot be used"),
    (262144, "NO_FLAT_FIELD", "flat field cannot be measured"),
    (524288, "NO_GAIN_VALUE", "gain cannot be measured"),
    (1048576, "NO_LIN_CORR", "no linearity correction"),
    (2097152, "NO_SAT_CHECK", "no saturation check"),
    (4194304, "UNRELIABLE_BIAS", "variance of the bias is large"),
    (8388608, "UNRELIABLE_DARK", "variance of the dark is large"),
    (16777216, "UNRELIABLE_SLOPE", "variance of the slope is large (noisy pixel)"),
    (33554432, "UNRELIABLE_FLAT", "variance of the flat is large"),
    (1073741824, "OTHER_BAD_PIXEL", "bad for another reason"),
    (2147483648, "REFERENCE_PIXEL", "reference pixel"),
)


def _with_shared(*rows: tuple[int, str, str]) -> tuple[Flag, ...]:
    return tuple(sorted((*_SHARED, *_table(*rows)), key=lambda flag: flag.bit))


_JWST = _with_shared(
    (16, "OUTLIER", "flagged by outlier detection"),
    (128, "CHARGELOSS", "charge migration"),
    (256, "UNRELIABLE_ERROR", "uncertainty exceeds the quoted error (older files)"),
    (16384, "RC", "RC pixel"),
    (67108864, "OPEN", "open pixel, its counts move to its neighbours"),
    (134217728, "ADJ_OPEN", "beside an open pixel"),
    (268435456, "FLUX_ESTIMATED", "flux estimated, data are missing or bad"),
    (536870912, "MSA_FAILED_OPEN", "sees light of a shutter that failed open"),
)

_ROMAN = _with_shared(
    (16, "GW_AFFECTED_DATA", "affected by the read of the guide window"),
    (128, "OUTLIER", "flagged by outlier detection"),
    (256, "UNRELIABLE_ERROR", "uncertainty exceeds the quoted error"),
    (268435456, "UNRELIABLE_RESET", "sensitive to the reset anomaly"),
)

_SIMULATED = _table(
    (4, "BAD_COLUMN", "bad column"),
    (16, "HOT", "hot pixel"),
    (32, "PERSISTENCE", "persistence"),
    (4096, "COSMIC_RAY", "cosmic ray"),
)

TABLES: dict[tuple[str, ...], tuple[Flag, ...]] = {
    ("HST", "ACS"): _ACS,
    ("HST", "WFC3", "UVIS"): _WFC3_UVIS,
    ("HST", "WFC3", "IR"): _WFC3_IR,
    ("HST", "WFPC2"): _WFPC2,
    ("HST", "STIS", "CCD"): _STIS_CCD,
    ("JWST",): _JWST,
    ("ROMAN",): _ROMAN,
    ("SIMULATED", "SKYCAM"): _SIMULATED,
}
"""Flags by telescope, instrument and detector, as far as they tell tables apart."""

_USUAL_BAD = dict.fromkeys(("JWST", "ROMAN"), ("DO_NOT_USE", "NON_SCIENCE", "OUTLIER"))
"""Most flags of these telescopes tell of what was corrected; DO_NOT_USE is set where a pixel is of no use."""
