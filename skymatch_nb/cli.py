"""The command line: ``skymatch-nb`` and its commands; the options come from the parameters."""

import argparse
import json
import re
import sys
import tempfile
import warnings
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from skymatch_nb.core.jit import watching_compilation
from skymatch_nb.errors import InputError, ParameterError, SkyMatchError, SkyMatchWarning, UnitsError
from skymatch_nb.io.kept import forget, kept_runs
from skymatch_nb.io.writer import undo as undo_files
from skymatch_nb.params import ParamSpec, specs
from skymatch_nb.report import check_folder, residual_summary, table_text, write_text
from skymatch_nb.session import SkyMatchSession
from skymatch_nb.tables import to_records

_NEGATIVE = re.compile(r"-(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?( ?sig(ma)?)?", re.IGNORECASE)

TABLE_VERSION = 1
"""Version of the layout of JSON tables."""

EXIT_CODES = "Exit codes: 0 done; 1 failed (nothing overlaps, say); 2 bad usage or input; 130 stopped with Ctrl-C."

EXAMPLES = {
    "match": (
        "skymatch-nb match 'j*_flt.fits' --skymethod match --skystat median --report report.html",
        "skymatch-nb match a.fits b.fits --lower 'a.fits=-3 sigma,*=None' --dq-bits 'ACS=4+8;*=0'",
        "skymatch-nb match a.fits b.fits --exclude-regions 'nebula.reg|icrs; circle(10.68, 41.27, 90\")'",
        "skymatch-nb match 'j*_flt.fits' --apply --subtractsky True",
    ),
    "panel": ("skymatch-nb panel 'j*_flt.fits' --skymethod match --port 9000",),
    "demo": ("skymatch-nb demo --folder exposures --report demo.html",),
    "undo": ("skymatch-nb undo a.fits", "skymatch-nb undo . --all"),
    "runs": ("skymatch-nb runs", "skymatch-nb runs exposures --forget"),
}
"""Commands as they are typed, for the end of each help."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0 when done, 1 when it failed, 2 for bad usage or input."""
    words = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(_with_negative_numbers(words))
    with warnings.catch_warnings():
        warnings.simplefilter("always", SkyMatchWarning)
        warnings.showwarning = _show_warning
        try:
            return int(options.command(options))
        except (InputError, ParameterError, UnitsError) as error:
            print(f"skymatch-nb: error: {error}", file=sys.stderr)
            return 2
        except (SkyMatchError, OSError) as error:
            print(f"skymatch-nb: error: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print("skymatch-nb: stopped", file=sys.stderr)
            return 130


def _with_negative_numbers(words: Sequence[str]) -> list[str]:
    """Words with ``--name -1e-3`` as ``--name=-1e-3``: argparse takes such a number for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1].startswith("--") and "=" not in joined[-1] and _NEGATIVE.fullmatch(word):
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


def match(options: argparse.Namespace) -> int:
    """Match the files and print the sky table."""
    params = _params(options)
    if options.apply and "readonly" in params:
        raise ParameterError("--apply means readonly=False; it cannot be given together with --readonly")
    if options.apply:
        params["readonly"] = False
    if options.quiet:
        params["verbose"] = False
    if options.table:
        _table_format(options.table)
    _check_outputs(options)
    session = SkyMatchSession(options.inputs, workers=options.workers, **params)
    with watching_compilation(_say_nothing if options.quiet else _say_compiling):
        _show(session, options.quiet)
    if options.apply:
        applied = session.apply()
        if not options.quiet:
            print(table_text(applied[["keyword", "old", "new", "subtracted", "status"]]))
    elif not session.params.readonly:
        print("skymatch-nb: nothing was written to the files: --apply does that", file=sys.stderr)
    _write_files(session, options.table, options.report, options.quiet)
    return 0


def _params(options: argparse.Namespace) -> dict[str, Any]:
    """Parameters that are given."""
    return {s.name: s.parse(getattr(options, s.name)) for s in specs() if getattr(options, s.name) is not None}


def panel(options: argparse.Namespace) -> int:
    """Serve the panel as a web page until Ctrl-C."""
    from skymatch_nb.webpage import require_voila, serve_panel

    require_voila()
    serve_panel(SkyMatchSession(options.inputs, **_params(options)), options.port, not options.no_browser)
    return 0


def _check_outputs(options: argparse.Namespace) -> None:
    """Raise `ParameterError` where an output cannot be written, or would replace what is not one."""
    for path in (options.table, options.report):
        if path is not None:
            check_folder(path)
    if options.report is not None and options.report.suffix.lower() not in (".html", ".htm"):
        raise ParameterError(f"--report {options.report}: the name must end in .html")


def demo(options: argparse.Namespace) -> int:
    """Make a mosaic with a known sky, match it, and tell the error."""
    from skymatch_nb.datasets import demo_mosaic

    options.table = None
    _check_outputs(options)
    with tempfile.TemporaryDirectory(prefix="skymatch_nb_demo_") as scratch:
        folder = options.folder or Path(scratch)
        print(
            f"Making six overlapping two-chip exposures with a planted sky (seed {options.seed}) ...",
            flush=True,
        )
        mosaic = demo_mosaic(folder, seed=options.seed)
        print("Matching their sky (the first run on a machine compiles for some ten seconds, once) ...", flush=True)
        session = SkyMatchSession(mosaic.paths, skymethod="match", skystat="median", verbose=not options.quiet)
        _show(session, False)
        level = session.sky.groupby("group", sort=False)["sky_data"].first()
        planted = pd.Series(mosaic.sky)[level.index]
        error = (level - level.mean()) - (planted - planted.mean())
        print(f"\nThe planted skies differ by {planted.std(ddof=0):.5f} (rms); matched, they are recovered to")
        print(f"{error.std(ddof=0):.6f} (rms, mean removed; data units per pixel): error against the planted sky")
        session.report(options.report)
        print(f"\nReport: {options.report}")
        if options.folder:
            print(f"Exposures: {folder}")
    return 0


def undo(options: argparse.Namespace) -> int:
    """Restore files that were written."""
    for outcome in undo_files(options.paths, everything=options.all):
        print(f"{outcome.path}: {'; '.join((outcome.status, *outcome.notes))}")
    return 0


def runs(options: argparse.Namespace) -> int:
    """List the runs whose originals are kept, or forget them."""
    found = forget(options.folders) if options.forget else kept_runs(options.folders)
    for run in found:
        size = f"{run.size / 1e6:.1f} MB kept"
        print(f"{run.folder}: {run.name}: {run.state}, {len(run.files)} files, {size}{options.forget * ', forgotten'}")
    if not found:
        print(f"no run has kept anything in {', '.join(map(str, options.folders))}")
    return 0


def table_json(session: SkyMatchSession) -> dict[str, Any]:
    """All tables of a session as plain values for JSON."""
    sky = session.sky
    groups = sky.groupby("group", sort=False)["component"].first()
    components = [
        {"component": int(number), "groups": list(of.index)} for number, of in groups.dropna().groupby(groups.dropna())
    ]
    return {
        "version": TABLE_VERSION,
        "params": session.params.model_dump(mode="json"),
        "members": to_records(session.members),
        "overlaps": to_records(session.overlaps),
        "sky": to_records(sky),
        "residuals": to_records(session.residuals),
        "components": components,
    }


def _say_compiling() -> None:
    print("skymatch-nb: compiling for this machine, some ten seconds, once ...", file=sys.stderr)


def _say_nothing() -> None:
    pass


def _show(session: SkyMatchSession, quiet: bool) -> None:
    sky = session.sky
    if not quiet:
        print(table_text(sky[["component", "status", "sky", "sky_err", "sky_data", "header_old", "header_new"]]))
        print(residual_summary(session.residuals))


def _write_files(session: SkyMatchSession, table: Path | None, report: Path | None, quiet: bool) -> None:
    if table is not None:
        _write_table(session, table)
    if report is not None:
        session.report(report)
    for path in (table, report):
        if path is not None and not quiet:
            print(f"wrote {path}")


def _table_format(path: Path) -> str:
    if path.suffix not in (".csv", ".ecsv", ".json"):
        raise ParameterError(f"--table {path}: the name must end in .csv, .ecsv or .json")
    return path.suffix


def _write_table(session: SkyMatchSession, path: Path) -> None:
    kind = _table_format(path)
    if kind == ".json":
        write_text(path, json.dumps(table_json(session), indent=1, allow_nan=False) + "\n")
    elif kind == ".csv":
        write_text(path, session.sky.to_csv())
    else:
        import io

        from astropy.table import Table

        sky = session.sky
        table = Table.from_pandas(sky, index=True)
        for name, unit in sky.attrs["units"].items():
            if unit:
                table[name].description = f"in {unit}"
        stream = io.StringIO()
        table.write(stream, format="ascii.ecsv")
        write_text(path, stream.getvalue())


def _show_warning(message: Any, *_: Any, **__: Any) -> None:
    print(f"skymatch-nb: warning: {message}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="skymatch-nb",
        description="Match the sky background of overlapping astronomical exposures.",
        epilog="'skymatch-nb COMMAND --help' tells what a command takes; 'skymatch-nb demo' shows what it is about.\n\n"
        + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"skymatch-nb {version('skymatch_nb')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    matching = commands.add_parser(
        "match",
        help="match FITS exposures and print the sky table",
        usage="%(prog)s INPUT [INPUT ...] [--PARAMETER VALUE ...]\n"
        "         [--table FILE] [--report FILE] [--apply] [--workers N] [--quiet]",
        description="Match the sky of overlapping FITS exposures and print the level of each.",
        **_ending("match"),
        allow_abbrev=False,
    )
    matching.set_defaults(command=match)
    matching.add_argument(
        "--table",
        type=Path,
        metavar="FILE",
        help="write the tables to FILE.json, or the sky table to FILE.csv or FILE.ecsv",
    )
    matching.add_argument("--report", type=Path, metavar="FILE.html", help="write a self-contained report page")
    matching.add_argument("--apply", action="store_true", help="write sky levels to the files (means readonly=False)")
    matching.add_argument(
        "--workers",
        type=int,
        metavar="N",
        help="threads, or processes of a local cluster with --executor dask (default: one per core, at most 4)",
    )
    matching.add_argument("--quiet", action="store_true", help="print nothing but warnings and errors")
    _add_inputs(matching)
    paging = commands.add_parser(
        "panel",
        help="show the panel in the browser (extra 'app')",
        usage="%(prog)s INPUT [INPUT ...] [--PARAMETER VALUE ...] [--port N] [--no-browser]",
        description="Serve the panel as a web page of this machine, until Ctrl-C.",
        **_ending("panel"),
        allow_abbrev=False,
    )
    paging.set_defaults(command=panel)
    paging.add_argument(
        "--port",
        type=_port,
        default=8866,
        metavar="N",
        help="port to serve at (default: 8866, or one nearby where that is taken)",
    )
    paging.add_argument("--no-browser", action="store_true", help="print the address, and open no browser")
    _add_inputs(paging)
    showing = commands.add_parser(
        "demo",
        help="make a mosaic with a known sky, match it, and write a report",
        description="Make six exposures with a known sky, match them, print the error, and write a report page.",
        **_ending("demo"),
    )
    showing.set_defaults(command=demo)
    showing.add_argument(
        "--report",
        type=Path,
        default=Path("report.html"),
        metavar="FILE.html",
        help="where the report page is written (default: report.html)",
    )
    showing.add_argument("--folder", type=Path, help="keep the exposures in this folder")
    showing.add_argument("--seed", type=int, default=2024, help="seed of the mosaic (default: 2024)")
    showing.add_argument("--quiet", action="store_true", help="show no progress")
    undoing = commands.add_parser(
        "undo",
        help="restore files that 'match --apply' has written",
        description="Restore files as they were before the last 'match --apply', bit for bit.",
        **_ending("undo"),
    )
    undoing.set_defaults(command=undo)
    undoing.add_argument(
        "paths", nargs="+", type=Path, metavar="PATH", help="file, or folder: all files of its last run"
    )
    undoing.add_argument("--all", action="store_true", help="go back over all runs, to the oldest original kept")
    listing = commands.add_parser(
        "runs",
        help="list the runs whose original files are kept, or forget them",
        description="List the runs of 'match --apply' that can be undone or have left something behind.",
        **_ending("runs"),
    )
    listing.set_defaults(command=runs)
    listing.add_argument(
        "folders",
        nargs="*",
        type=Path,
        default=[Path()],
        metavar="FOLDER",
        help="folders to look in (default: this one)",
    )
    listing.add_argument("--forget", action="store_true", help="remove the kept originals: no run can be undone then")
    return parser


def _ending(command: str) -> dict[str, Any]:
    """End of a command's help: how it is typed, and what its exit codes mean."""
    title = "Examples" if len(EXAMPLES[command]) > 1 else "Example"
    lines = "\n".join(f"  {example}" for example in EXAMPLES[command])
    return {"epilog": f"{title}:\n{lines}\n\n{EXIT_CODES}", "formatter_class": argparse.RawDescriptionHelpFormatter}


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    """What a session is made of: inputs and parameters."""
    parser.add_argument(
        "inputs",
        nargs="+",
        metavar="INPUT",
        help="file, wildcard, 'FILE[sci,2]', 'FILE{1,4}', association or '@list' (docs/inputs.md)",
    )
    for common in (True, False):
        group = parser.add_argument_group("parameters" if common else "advanced parameters")
        for spec in specs():
            if spec.advanced != common:
                _add_option(group, spec)


def _port(text: str) -> int:
    """Number of a port that a user may listen on."""
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: an integer from 1 to 65535")
    return int(text)


def _add_option(group: Any, spec: ParamSpec) -> None:
    names = dict.fromkeys((f"--{spec.name.replace('_', '-')}", f"--{spec.name}"))
    allowed = f" [{spec.allowed}]" if spec.allowed else ""
    unit = f" ({spec.unit})" if spec.unit else ""
    text = f"{spec.help}{unit}{allowed} (default: {spec.default})".replace("%", "%%")
    words = {
        "flag": "True|False",
        "integer": "N",
        "number": "X",
        "bits": "BITS",
        "choice": "NAME",
        "mapping": "NAME=X,...",
    }
    metavar = words.get(spec.kind, "TEXT")
    group.add_argument(*names, dest=spec.name, metavar=metavar, help=text)


if __name__ == "__main__":
    sys.exit(main())
