"""A Bokeh figure as a Jupyter widget: fresh in every view, changes carried both ways, nothing to set up.

The page's side is ``bridge.js``. It asks for BokehJS where the page has none, and for the document each time a view is
made, so that a reloaded page or a second view shows the present figure and notebooks stay small.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import anywidget
import traitlets
from bokeh import __version__ as bokeh_version
from bokeh.core.serialization import Buffer, Ref, Serialized, Serializer
from bokeh.document import Document
from bokeh.embed import components
from bokeh.model import Model
from bokeh.models import ColumnDataSource
from bokeh.resources import Resources

from skymatch_nb.widgets.takeover import note_extents, take_over

MakeFigure = Callable[[bool], Model]
"""Makes the figure, for a dark page (True) or a light one."""

RenewFigure = Callable[[Model, bool], bool]
"""Shows new results in the figure that there is, for a dark page (True) or a light one; False where it cannot."""

LARGEST_FALLBACK = 60_000
"""Characters of HTML up to which a figure is stored in a notebook, for where there is no kernel."""

_NEEDS_KERNEL = "<p>This figure is shown where a kernel runs.</p>"

_NEEDS_BOKEHJS = """<p>This figure is shown where a kernel runs, or where the page has BokehJS.</p>
<script>if (window.Bokeh) document.currentScript.previousElementSibling.remove()</script>
"""
"""Before a stored figure: pages without BokehJS, as nbconvert makes them, would show nothing at all."""

_LIBRARIES = ("bokeh", "bokeh-widgets", "bokeh-tables")


class FigureView(anywidget.AnyWidget):
    """A figure, or a layout of figures.

    Parameters
    ----------
    make
        Called with whether the page is dark when the first view is shown, and again when that changes.
    renew_data
        Called first to refresh a figure; where it returns False, the figure is made again and compared.
    failed
        Called with what is raised while the page is answered, callbacks of the figure's models included.
    """

    _lock = threading.RLock()
    """One for all figures, which change each other: notebooks answer pages in several threads."""

    _esm = Path(__file__).with_name("bridge.js")
    version = traitlets.Unicode(bokeh_version).tag(sync=True)

    def __init__(
        self,
        make: MakeFigure,
        renew_data: RenewFigure | None = None,
        failed: Callable[[BaseException], None] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._make, self._renew_data, self._failed = make, renew_data, failed
        self._dark = False
        self._width = 0
        self._document: Document | None = None
        self._held: list[Any] | None = None
        self._answered = ""
        self.on_msg(self._receive)

    @property
    def document(self) -> Document:
        """The figure's document; it is made where there is none yet."""
        if self._document is None:
            document = Document()
            document.add_root(note_extents(self._make(self._dark)))
            document.on_change(self._send_change)
            self._document = document
        return self._document

    @property
    def shown(self) -> Model | None:
        """The figure, where it was made already."""
        return None if self._document is None else self._document.roots[0]

    @property
    def dark(self) -> bool:
        """Whether the page that asked last is dark."""
        return self._dark

    @property
    def width(self) -> int:
        """Pixels that the page that asked last has for the figure, 0 where none has asked."""
        return self._width

    def refresh(self) -> None:
        """Show what the figure would be if it were made now.

        Where it has the parts that it had, only their data and texts are sent, and the view stays zoomed and
        selected as it is; else the figure is made anew.
        """
        with self._lock:
            if self._document is None:
                return
            shown = self._document.roots[0]
            if self._renew_data is not None and self._renew_data(shown, self._dark):
                return
            before = _rows_in(shown)
            with self._held_anyway():
                if not take_over(shown, note_extents(self._make(self._dark))) or _rows_in(shown) != before:
                    self.renew()  # pages that draw while rows become more or fewer look for some that are not there

    def _held_anyway(self) -> AbstractContextManager[None]:
        return nullcontext() if self._held is not None else self.holding()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Collect what is changed here meanwhile and send it as one message at the end, so that a page draws once."""
        with self._lock:
            self._held = []
        try:
            yield
        finally:
            with self._lock:
                self._send_held()
                self._held = None

    def renew(self) -> None:
        """Make the figure anew, and show it in every view."""
        with self._lock:
            self._forget()
            self.send({"kind": "renew"})

    def _forget(self) -> None:
        """Let go of the document, so that its sources may be used in another one."""
        document, self._document = self._document, None
        if document is not None:
            document.clear()

    def _receive(self, _widget: Any, content: dict[str, Any], _buffers: Any) -> None:
        try:
            with self._lock:
                self._answer(content)
        except Exception as error:  # the page must hear of it: nobody sees what is raised here
            self.send({"kind": "error", "to": content.get("to"), "text": f"{type(error).__name__}: {error}"})
            if self._failed is None:
                raise
            self._failed(error)

    def _answer(self, content: dict[str, Any]) -> None:
        kind = content["kind"]
        if kind == "bokehjs":
            self.send({"kind": kind, "to": content["to"], "sources": _bokeh_sources()})
        elif kind == "document":
            again, self._answered = content["to"] == self._answered, content["to"]
            fit = bool(content.get("fit")) and not again
            self._send_held()
            self._prepare(bool(content["dark"]), int(content.get("width", 0)), fit)
            self._send_packed(self.document.to_json(), {"kind": kind, "to": content["to"], "width": self._width})
            if fit:
                self.send({"kind": "renew", "but": content.get("origin")})
        elif kind == "patch" and self._document is not None and content.get("root") == self._document.roots[0].id:
            # else it is about a figure that was made anew meanwhile
            self._document.apply_json_patch(json.loads(content["patch"]), setter=content["origin"])

    def _prepare(self, dark: bool, width: int, fit: bool) -> None:
        """Let go of a figure that is not as a page wants it: of the other theme, or to be made for another width."""
        if dark != self._dark or fit:
            self._forget()
        if self._document is None:
            self._width = width
        self._dark = dark

    def _send_change(self, event: Any) -> None:
        """Send what was changed, or collect it; not while another thread sends the figure as it was before."""
        with self._lock:
            if self._document is None or event.document is not self._document:
                return
            if self._held is None or event.setter is not None:
                self._send_events([event])
            elif not any(other.combine(event) for other in self._held):
                self._held.append(event)

    def _send_held(self) -> None:
        """Send what was collected; what is about a figure that was made anew meanwhile is forgotten."""
        events = [event for event in self._held or () if event.document is self._document]
        if self._held:
            self._held.clear()
        if events:
            self._send_events(events)

    def _send_events(self, events: list[Any]) -> None:
        document = self.document
        serializer = Serializer(references=document.models.synced_references)
        patch = Serialized({"events": serializer.encode(events)}, serializer.buffers)
        document.models.flush_synced(lambda model: not serializer.has_ref(model))
        self._send_packed(patch, {"kind": "patch", "origin": events[0].setter, "root": document.roots[0].id})

    def _send_packed(self, packed: Serialized[Any], content: dict[str, Any]) -> None:
        """Send JSON under the name of its kind, its arrays beside it as they are: in text they would be zipped."""
        text = json.dumps(packed.content, default=_reference)
        ids = [buffer.id for buffer in packed.buffers]
        self.send({**content, content["kind"]: text, "buffers": ids}, [b.to_bytes() for b in packed.buffers])

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Widget and plain text, and the figure as HTML for where there is no kernel."""
        bundle = super()._repr_mimebundle_(**options)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, "text/html": self._static_html()}, metadata

    def _static_html(self) -> str:
        warnings = logging.getLogger("bokeh.embed.util")
        level = warnings.level
        warnings.setLevel(logging.ERROR)  # it warns that callbacks in Python are not part of it, as they should not be
        try:
            script, div = components(self.document.roots[0])
        finally:
            warnings.setLevel(level)
        figure = str(div + script)
        return _NEEDS_BOKEHJS + figure if len(figure) < LARGEST_FALLBACK else _NEEDS_KERNEL


def _rows_in(model: Model) -> dict[str, int]:
    """Number of rows of every data source of a figure, but for regions, which come and go while a user draws."""
    sources = [source for source in model.select({"type": ColumnDataSource}) if not _of_regions(source)]
    return {source.id: max(map(len, source.data.values()), default=0) for source in sources}


def _of_regions(source: ColumnDataSource) -> bool:
    return (source.name or "").startswith(("regions ", "drawn "))


def _reference(part: Any) -> Ref:
    """What stands in JSON for an array that is sent beside it."""
    if isinstance(part, Buffer):
        return part.ref
    raise TypeError(f"{type(part).__name__} is not JSON")


def _bokeh_sources() -> list[str]:
    return list(Resources(mode="inline", components=list(_LIBRARIES)).js_raw)
