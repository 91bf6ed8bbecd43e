"""A cluster of processes gives what threads give, to the last bit, and tasks carry no pixels."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from astropy.io import fits

from skymatch_nb import InputError, ParameterError, SkyMatchError, SkyMatchSession, SkyMatchWarning
from skymatch_nb.cluster import DaskCluster, payload, run_batch
from skymatch_nb.datasets import make_mosaic
from skymatch_nb.widgets.worker import CancelledError, Worker

distributed = pytest.importorskip("distributed")

TABLES = ("members", "masks", "footprints", "overlaps", "sky", "residuals")
CIRCLE = 'icrs; circle(150.1,2.2,4")'


@pytest.fixture(scope="module")
def client():
    """Client of two processes of one thread each."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs="ERROR"
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        yield client


def both(inputs, client, **given):
    """Sessions over threads and on the cluster."""
    given = {"verbose": False, "skymethod": "match"} | given
    return SkyMatchSession(inputs, **given), SkyMatchSession(inputs, executor=client, **given)


def assert_same(inputs, client, tables=TABLES, **given):
    """All tables of both are the same, to the last bit; return the session on the cluster."""
    threads, cluster = both(inputs, client, **given)
    for name in tables:
        pd.testing.assert_frame_equal(getattr(cluster, name), getattr(threads, name), check_exact=True)
    assert cluster.sky["sky"].notna().any()
    return cluster


class TestSameToTheLastBit:
    @pytest.mark.parametrize(
        "given",
        [
            {"skystat": "median"},
            {"overlap_stat": "difference", "weighting": "variance", "upper": "3 sigma"},
            {"skymethod": "localmin", "skystat": "mean"},
            {"skymethod": "globalmin+match", "group_by": "chip", "optimize": "speed"},
            {"group_by": "EXPTIME", "footprint_from": "good", "exclude_regions": CIRCLE},
            {"include_regions": 'icrs; circle(150.1,2.2,14")', "overlap_stat": "difference"},
        ],
        ids=lambda given: "-".join(map(str, given.values())),
    )
    @pytest.mark.filterwarnings("ignore::skymatch_nb.errors.SkyMatchWarning")
    def test_methods_statistics_groups_and_regions(self, mosaic, client, given):
        assert_same(mosaic.paths, client, **given)

    def test_sources(self, mosaic, client):
        pytest.importorskip("photutils")
        cluster = assert_same(mosaic.paths[:3], client, tables=("masks", "sky"), mask_sources=3.0)
        assert cluster.masks["bad_source"].sum() > 0

    @pytest.mark.filterwarnings("ignore:pairs disagree")
    def test_masks_of_files(self, mosaic, client, tmp_path):
        good = np.ones((128, 256), np.uint8)
        good[:, :60] = 0
        fits.PrimaryHDU(good).writeto(tmp_path / "good.fits")
        masks = {f"{mosaic.paths[0].name}[SCI,1]": tmp_path / "good.fits"}
        cluster = assert_same(mosaic.paths, client, masks=masks)
        assert cluster.masks["bad_user"].sum() == 128 * 60

    @pytest.mark.filterwarnings("ignore:pairs disagree")
    def test_masks_in_memory_are_worked_on_here(self, mosaic, client):
        good = np.ones((128, 256), np.uint8)
        good[:, :60] = 0
        masks = {f"{mosaic.paths[0].name}[SCI,1]": good}
        with pytest.warns(SkyMatchWarning, match="in memory: this process works on them"):
            assert_same(mosaic.paths, client, masks=masks)

    def test_objects_in_memory_are_worked_on_here(self, mosaic, client):
        told = pytest.warns(SkyMatchWarning, match=r"executor: \d+ images, or masks")
        with fits.open(mosaic.paths[0]) as first, fits.open(mosaic.paths[1]) as second, told:
            assert_same([first, second, *mosaic.paths[2:]], client, tables=("sky", "residuals"))

    @pytest.mark.parametrize("way", ["region", "difference"])
    @pytest.mark.filterwarnings("ignore")
    def test_compressed_files_of_hubble(self, realdata, client, tmp_path, way):
        """Read through stwcs, with SIP and lookup tables; the same exposure twice."""
        paths = [tmp_path / name for name in ("one.fits.gz", "two.fits.gz")]
        for path in paths:
            path.write_bytes((realdata / "hst_acs_wfc/2chipA.fits.gz").read_bytes())
        cluster = assert_same(paths, client, ("footprints", "overlaps", "sky"), overlap_stat=way, dq_bits=None)
        assert {"SIP", "NPOL"} <= set(cluster.members["distortion"].iloc[0].split(", "))

    def test_gwcs_of_webb(self, client, tmp_path):
        pytest.importorskip("stdatamodels")
        from webb_files import imaging_gwcs, planted, window, write_jwst

        detector = imaging_gwcs(shape=(260, 260), bend=4.0)
        paths = []
        for k, (x, y) in enumerate(((0.0, 0.0), (70.3, 20.0), (15.0, 80.7))):
            wcs = window(detector, x, y, (120, 140))
            name = f"jw01837004001_02101_{k + 1:05d}_nrcblong_cal.fits"
            paths.append(
                write_jwst(tmp_path / name, wcs, planted(wcs, (120, 140), 0.3 + k, seed=k), None, exposure=k + 1)
            )
        for way in ("region", "difference"):
            assert_same(paths, client, tables=("footprints", "overlaps", "sky"), overlap_stat=way)


class Recorded(DaskCluster):
    """A cluster that keeps what it sends."""

    def __init__(self, given):
        super().__init__(given, 1)
        self.sent = []

    def run(self, function, items, message, done, waiting, alone):
        self.sent += [(message, len(pickle.dumps(item)), item) for item in items]
        super().run(function, items, message, done, waiting, alone)


def arrays_in(item):
    """All arrays that an item pickles."""
    found = []

    class Spy(pickle.Pickler):
        def reducer_override(self, part):
            if isinstance(part, np.ndarray):
                found.append(part)
            return NotImplemented

    with Path(os.devnull).open("wb") as nothing:
        Spy(nothing, protocol=5).dump(item)
    return found


class TestTasks:
    @pytest.mark.parametrize("way", ["region", "difference"])
    def test_they_carry_paths_and_polygons_never_pixels(self, client, tmp_path, way):
        """Of whatever size the images are."""
        sizes = []
        for ny in (64, 256):
            made = make_mosaic(tmp_path / str(ny), rows=1, cols=3, shape=(ny, 128), overlap=0.3, seed=1)
            session = SkyMatchSession(made.paths, skymethod="match", overlap_stat=way, verbose=False, executor=client)
            recorded = Recorded(client)
            session._pipeline._cluster = (client, recorded)
            session.solve()
            steps = {message for message, _, _ in recorded.sent}
            assert {"load", "footprint", "sample" if way == "region" else "align"} <= steps
            largest = max((a.size for _, _, item in recorded.sent for a in arrays_in(item)), default=0)
            assert largest < 200  # vertices of polygons
            sizes.append(max(size for _, size, _ in recorded.sent))
        assert max(sizes) < 6000
        assert sizes[1] < 1.2 * sizes[0]

    def test_another_version_is_an_error(self, monkeypatch):
        body = payload(abs, [-1, -2], False)
        assert run_batch(body) == ([1, 2], None)
        monkeypatch.setattr("skymatch_nb.cluster.version", lambda _: "9.9")
        _, error = run_batch(body)
        assert "a worker 9.9" in str(error)


class TestTrouble:
    def test_a_lost_worker_is_survived(self, client, tmp_path):
        """One is killed in the middle of the samples; the others do its work."""
        made = make_mosaic(tmp_path, rows=4, cols=4, shape=(96, 128), overlap=0.3, seed=3)
        expected = SkyMatchSession(made.paths, skymethod="match", verbose=False).sky
        before = client.run(os.getpid)
        killed = []

        def kill(done, total, message):
            if message == "sample" and 0 < done < total and not killed:
                killed.append(next(iter(before.values())))
                os.kill(killed[0], signal.SIGKILL)

        session = SkyMatchSession(made.paths, skymethod="match", progress=kill, executor=client)
        pd.testing.assert_frame_equal(session.sky, expected, check_exact=True)
        client.wait_for_workers(2)
        assert killed
        assert killed[0] not in client.run(os.getpid).values()

    def test_errors_name_file_and_extension(self, mosaic, client, tmp_path):
        """The same error as without a cluster, that of the first bad file."""
        paths = []
        for k, path in enumerate(mosaic.paths):
            paths.append(tmp_path / path.name)
            paths[-1].write_bytes(path.read_bytes()[: 50_000 if k in (1, 4) else None])
        told = []
        for session in both(paths, client):
            with pytest.raises(InputError) as caught:
                session.solve()
            told.append(str(caught.value))
        assert told[0] == told[1]
        assert paths[1].name in told[1]
        assert "truncated" in told[1]

    def test_a_file_that_has_changed_is_an_error(self, client, tmp_path):
        made = make_mosaic(tmp_path, rows=1, cols=2, shape=(64, 96), overlap=0.4, seed=4)
        _, session = both(made.paths, client)
        session.compute_footprints()
        os.utime(made.paths[1], ns=(1, 1))
        with pytest.raises(InputError, match=f"{made.paths[1].name}: the file has changed"):
            session.solve()

    def test_cancel_ends_the_work_and_the_session_goes_on(self, mosaic, client):
        """As the panel does it; tasks that wait are taken back, one that runs (and compiles) comes to its end."""
        failed, told = [], threading.Event()
        session = SkyMatchSession(mosaic.paths, skymethod="match", executor=client)

        def tell(done, total, message):
            if message == "sample":
                told.set()
                worker.cancel()

        worker = Worker(failed.append, tell)

        def solve():
            with session.reporting(worker.progress):
                session.solve()

        worker.request(solve)
        assert told.wait(60)
        assert worker.wait()
        assert isinstance(failed[0], CancelledError)
        deadline = time.monotonic() + 120
        while any(client.processing().values()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(client.processing().values())
        assert session.sky.equals(SkyMatchSession(mosaic.paths, skymethod="match", verbose=False).sky)

    def test_progress_counts_items_to_the_end(self, mosaic, client):
        heard = []
        session = SkyMatchSession(
            mosaic.paths, skymethod="match", executor=client, progress=lambda *told: heard.append(told)
        )
        session.solve()
        samples = [done for done, total, message in heard if message == "sample" and total == 12]
        assert samples[0] == 0
        assert samples[-1] == 12
        assert samples == sorted(samples)

    def test_a_closed_client_is_one_error(self, mosaic, client):
        other = distributed.Client(client.scheduler.address, set_as_default=False)
        other.close()
        with pytest.raises(ParameterError, match="the client is closed"):
            SkyMatchSession(mosaic.paths, executor=other, verbose=False).load()

    def test_no_scheduler_at_the_address_of_the_configuration_is_one_error(self, mosaic):
        import dask

        with dask.config.set({"scheduler-address": "tcp://127.0.0.1:9", "distributed.comm.timeouts.connect": "1s"}):
            session = SkyMatchSession(mosaic.paths, executor="dask", verbose=False)
            with pytest.raises(SkyMatchError, match=r"no scheduler answers at 'tcp://127\.0\.0\.1:9'"):
                session.load()

    def test_without_distributed_the_error_names_the_extra(self, mosaic, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(ParameterError, match=r"pip install .skymatch_nb\[dask\]."):
            SkyMatchSession(mosaic.paths, executor="dask", verbose=False).load()

    def test_workers_that_die_again_and_again_are_one_error(self, client, monkeypatch):
        monkeypatch.setattr(client.cluster.scheduler, "allowed_failures", 1)
        with pytest.raises(SkyMatchError, match="workers were lost again and again while they did 'fall'"):
            DaskCluster(client, 1).run(os._exit, [1], "fall", lambda *_: None, lambda: None, False)
        client.wait_for_workers(2)


class TestSessions:
    def test_the_active_client_is_taken(self, mosaic, client):
        with client.as_current():
            session = SkyMatchSession(mosaic.paths, skymethod="match", executor="dask", verbose=False)
            session.solve()
            assert session._pipeline._cluster[1]._own is None

    def test_the_scheduler_of_the_configuration_is_taken(self, mosaic, client):
        """As DASK_SCHEDULER_ADDRESS gives it, which is how commands reach a cluster."""
        import dask

        with dask.config.set({"scheduler-address": client.scheduler.address}):
            session = SkyMatchSession(mosaic.paths, skymethod="match", executor="dask", verbose=False)
            session.solve()
            own = session._pipeline._cluster[1]._own
            assert own.scheduler.address == client.scheduler.address
            session.close()
        assert own.status == "closed"
        assert client.status == "running"

    def test_saved_sessions_and_commands_say_dask(self, mosaic, client, tmp_path):
        session = SkyMatchSession(mosaic.paths, skymethod="match", executor=client, verbose=False)
        again = SkyMatchSession.open(session.save(tmp_path / "s.json"))
        assert again.params.executor == "dask"
        assert "--executor dask" in session.to_command()
        assert "executor" not in session.to_script()  # it needs no cluster, and gives the same
        session.params.to_cfg(tmp_path / "s.cfg")
        assert "executor = dask" in (tmp_path / "s.cfg").read_text()
        assert pickle.loads(pickle.dumps(session)).params.executor == "dask"

    def test_a_sweep_runs_on_the_cluster(self, mosaic, client):
        threads, cluster = both(mosaic.paths, client)
        choices = {"skystat": ["median", "mean"], "overlap_stat": ["region", "difference"]}
        pd.testing.assert_frame_equal(cluster.sweep(**choices), threads.sweep(**choices), check_exact=True)

    def test_workers_of_a_local_cluster_leave_interrupts_to_the_session(self, mosaic):
        """Ctrl-C in a terminal goes to all processes; only that of the session is to answer."""
        with SkyMatchSession(mosaic.paths, executor="dask", workers=1, verbose=False) as session:
            session.load()
            handlers = session._pipeline._cluster[1].client().run(signal.getsignal, signal.SIGINT)
            assert set(handlers.values()) == {signal.SIG_IGN}

    def test_the_shell_makes_a_local_cluster_and_ends_it(self, mosaic, tmp_path):
        """In a process of its own, which leaves no other behind."""
        tables = []
        for executor in ("dask", "threads"):
            table = tmp_path / f"{executor}.csv"
            words = ["-m", "skymatch_nb", "match", *map(str, mosaic.paths), "--executor", executor]
            done = subprocess.run(
                [sys.executable, *words, "--skymethod", "match", "--quiet", "--table", str(table)],
                capture_output=True, text=True, timeout=300, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert done.stderr == ""
            tables.append(table.read_bytes())
        assert tables[0] == tables[1]
