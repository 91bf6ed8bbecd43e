"""Sphinx: how the site is built. It needs no network: no other site's inventory is read, and no page asks for one."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(ROOT / "notebooks"), str(HERE / "_ext")]

import notebook_runs
from bokeh.resources import Resources

project = "skymatch_nb"
author = "The skymatch_nb developers"
copyright = f"2026, {author}"
version = release = version_of("skymatch_nb")

extensions = [
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx_design",
    "skymatch_docs",
]

exclude_patterns = ["_build", "README.md"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4
myst_links_external_new_tab = False
nb_execution_mode = "off"  # notebooks are executed once, by notebook_runs; the site takes what came out
nb_ipywidgets_js = {}
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_merge_streams = True

default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
add_module_names = False
python_use_unqualified_type_names = True
toc_object_entries_show_parents = "hide"

_WIDE = ["index", "architecture", *(f"tutorials/{path.stem}" for path in notebook_runs.notebooks())]
"""Pages with wide pictures, which get the room of the table of contents on the right."""

html_theme = "pydata_sphinx_theme"
html_title = "skymatch_nb"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_sidebars = {"index": [], "install": []}
html_context = {"default_mode": "auto"}
html_theme_options = {
    "logo": {"text": "skymatch_nb"},
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "footer_start": ["copyright"],
    "footer_end": ["sphinx-version"],
    "secondary_sidebar_items": {"**": ["page-toc"]} | {name: [] for name in _WIDE},
}

bokeh_scripts = [
    Path(path) for path in Resources(mode="absolute", components=["bokeh", "bokeh-widgets", "bokeh-tables"]).js_files
]
