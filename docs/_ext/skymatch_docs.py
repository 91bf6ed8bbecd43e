"""What the site takes from the package itself: parameters, help of the command line, and executed notebooks."""

import contextlib
import io
import os
import re
import shutil
from pathlib import Path
from typing import Any

import diagrams
import notebook_runs
from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList
from sphinx.application import Sphinx

from skymatch_nb.cli import main
from skymatch_nb.params import specs

ROOT = Path(__file__).parents[2]

_ELSEWHERE = {
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "benchmarks": "tests/benchmarks/README.md",
}
"""Pages whose text stands in a file outside of the docs folder."""

_OUTSIDE = {
    "(../tests/benchmarks/README.md)": "(benchmarks.md)",
    "(../CHANGELOG.md)": "(changelog.md)",
    "(../CONTRIBUTING.md)": "(contributing.md)",
    "(../README.md)": "(index.md)",
    "(CHANGELOG.md)": "(changelog.md)",
    "(CONTRIBUTING.md)": "(contributing.md)",
    "(../../notebooks/": "(../tutorials/",
    "(../../docs/": "(",
    "(docs/": "(",
}
"""Links of pages, as they stand in the repository, to files that have a page of their own on the site."""


class ParametersTable(Directive):
    """Every parameter as a definition: default, allowed values, unit, the step that reads it, and its help."""

    def run(self) -> list[nodes.Node]:
        """Make the nodes."""
        text = "\n\n".join(_parameter(spec) for spec in specs())
        holder = nodes.Element()
        self.state.nested_parse(StringList(text.splitlines(), "parameters"), self.content_offset, holder)
        return list(holder.children)


def _parameter(spec: Any) -> str:
    """Markdown of one parameter, in a form that can be linked to."""
    default = f"`{spec.default!r}`"
    facts = [f"default {default}"]
    if spec.allowed:
        facts.append(spec.allowed if spec.kind != "choice" else _choices(spec))
    if spec.unit:
        facts.append({"data": "in data units"}.get(spec.unit, f"in {spec.unit}"))
    facts.append(f"read by *{spec.step}*")
    option = f"`--{spec.name.replace('_', '-')}`"
    text = (
        re.sub(r"(?<!\w)'([^']+)'(?!\w)", r"`'\1'`", spec.help)
        .replace("|", "\\|")
        .replace("docs/flags.md", "[](flags.md)")
    )
    return f"(parameter-{spec.name})=\n`{spec.name}`, {option}\n: {text}\n\n  {'; '.join(facts)}.\n"


def _choices(spec: Any) -> str:
    words = [f"`'{choice}'`" for choice in spec.choices]
    return "one of " + ", ".join([*words, *(["`None`"] if spec.optional else [])])


class CommandHelp(Directive):
    """What a command of the shell prints when it is asked for help."""

    required_arguments = 0
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Make the nodes."""
        text = help_of(self.arguments)
        block = nodes.literal_block(text, text)
        block["language"] = "text"
        return [block]


def help_of(command: list[str]) -> str:
    """Help of ``skymatch-nb``, or of one of its commands, as a terminal as wide as pages (84 columns) shows it."""
    printed, columns = io.StringIO(), os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "84"
    try:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            main([*command, "--help"])
    finally:
        os.environ.pop("COLUMNS")
        if columns is not None:
            os.environ["COLUMNS"] = columns
    return printed.getvalue()


def _take_notebooks(app: Sphinx) -> None:
    """Put executed notebooks among the pages; those that nobody has executed yet are executed now."""
    into = Path(app.srcdir) / "tutorials"
    for source in notebook_runs.notebooks():
        notebook_runs.for_site(notebook_runs.shown(source), into / source.name)
    for stale in set(into.glob("*.ipynb")) - {into / source.name for source in notebook_runs.notebooks()}:
        stale.unlink()


def _take_scripts(app: Sphinx) -> None:
    """Serve BokehJS, and what fits figures to a page, from the site itself."""
    into = Path(app.outdir) / "_static" / "bokeh"
    into.mkdir(parents=True, exist_ok=True)
    for path in _bokeh_scripts(app):
        shutil.copy2(path, into / path.name)


def _bokeh_scripts(app: Sphinx) -> list[Path]:
    return [*app.config.bokeh_scripts, ROOT / "skymatch_nb" / "plots" / "fit.js"]


def _add_bokeh(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Pages of notebooks load BokehJS; others do not need it."""
    if doctree is not None and pagename.startswith("tutorials/"):
        for path in _bokeh_scripts(app):
            app.add_js_file(f"bokeh/{path.name}", loading_method="", priority=200)


def _mend_links(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn links that are right in the repository into links that are right on the site."""
    if docname in _ELSEWHERE:
        source[0] = (ROOT / _ELSEWHERE[docname]).read_text(encoding="utf-8")
        app.env.note_dependency(str(ROOT / _ELSEWHERE[docname]))
    for there, here in _OUTSIDE.items():
        source[0] = source[0].replace(there, here)
    source[0] = diagrams.with_pictures(source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_config_value("bokeh_scripts", [], "html", list)
    app.add_directive("parameters-table", ParametersTable)
    app.add_directive("command-help", CommandHelp)
    app.connect("builder-inited", _take_notebooks)
    app.connect("builder-inited", _take_scripts)
    app.connect("html-page-context", _add_bokeh)
    app.connect("source-read", _mend_links)
    return {"parallel_read_safe": False, "parallel_write_safe": True}
