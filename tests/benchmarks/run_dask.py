"""Match 144 exposures over threads and on a local Dask cluster of two processes; print times, ratio and sameness.

    python tests/benchmarks/run_dask.py --scratch DIR

Each time is the best of several runs, so that what else the machine does counts little. The exit status is 1 where
tables differ, or Dask takes more than 1.5 times as long as threads, its start left out.
"""

import argparse
import sys
import time
from pathlib import Path

import pandas as pd
from mosaics import SCENES, get_mosaic
from run_benchmarks import WARM_UP, show, show_table

from skymatch_nb import SkyMatchSession

MOST = 1.5
WAYS = ("region", "difference")
TABLES = ("sky", "residuals", "overlaps", "footprints")


def solved(paths: list[Path], executor: object, way: str) -> tuple[float, SkyMatchSession]:
    """Seconds from file names to levels, in a new session, which is returned."""
    session = SkyMatchSession(
        paths, skymethod="match", skystat="median", overlap_stat=way, verbose=False, workers=2, executor=executor
    )
    started = time.perf_counter()
    session.solve()
    return time.perf_counter() - started, session


def main() -> int:
    parser = argparse.ArgumentParser(description="Dask against threads on 144 exposures.")
    parser.add_argument("--scratch", type=Path, required=True, metavar="DIR", help="folder in which mosaics are kept")
    parser.add_argument("--generator", type=Path, metavar="SCRIPT", help="another script that makes mosaics")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="runs of each (default 5)")
    parser.add_argument(
        "--only", action="append", choices=WAYS, metavar="WAY", help=f"{' or '.join(WAYS)}; default: both"
    )
    options = parser.parse_args()
    from distributed import Client, LocalCluster

    small, mosaic = get_mosaic(WARM_UP, options.scratch), get_mosaic(SCENES["144"], options.scratch, options.generator)
    rows, good = [], True
    started = time.perf_counter()
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="ERROR"
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        for way in options.only or WAYS:  # workers import the package and load its kernels
            solved(small.paths, client, way)
        start_up = time.perf_counter() - started
        for way in options.only or WAYS:
            best = {"threads": 1e9, "dask": 1e9}
            for _ in range(options.runs):
                sessions = {}
                for name, executor in (("threads", "threads"), ("dask", client)):
                    seconds, sessions[name] = solved(mosaic.paths, executor, way)
                    best[name] = min(best[name], seconds)
            for table in TABLES:
                one, other = (getattr(sessions[name], table) for name in ("threads", "dask"))
                pd.testing.assert_frame_equal(one, other, check_exact=True)
            ratio = best["dask"] / best["threads"]
            good &= ratio <= MOST
            rows.append([way, f"{best['threads']:.2f}", f"{best['dask']:.2f}", f"{ratio:.2f}", f"{MOST}", "yes"])
    show_table(["overlap_stat", "threads, s", "Dask, s", "ratio", "at most", "same to the last bit"], rows)
    show(f"Start of two processes, imports and kernels included: {start_up:.1f} s.")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
