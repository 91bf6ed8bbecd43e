"""What figures show while there is no fresh solution: the last one, and what has been changed since."""

from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from skymatch_nb.report import number_of

if TYPE_CHECKING:
    from skymatch_nb.session import SkyMatchSession


class LastGood:
    """A line above the views, only where they show a solution that is no longer that of the present parameters.

    Parameters
    ----------
    session
        Whose solution is shown.
    """

    def __init__(self, session: "SkyMatchSession") -> None:
        self._session = session
        self._of: tuple[int, Any, Any] | None = None
        self.widget = widgets.HTML(layout={"display": "none"})
        self.widget.add_class("skymatch-last-good")

    def renewed(self) -> None:
        """The views were renewed: note what they show."""
        session, loaded = self._session, self._session.fresh_result("load")
        solved: Any = None if session.fresh_result("solve") is None else loaded
        self._of = None if solved is None else (len(solved.members), session.params, session.inputs)

    def tell(self, running: bool) -> None:
        """Say what is shown where that is not fresh; not while it is being made anew."""
        if self._of is None or running or self._session.fresh_result("solve") is not None:
            self.widget.layout.display = "none"
            return
        members, params, inputs = self._of
        now = self._session.params
        changed = [name for name in type(now).model_fields if getattr(params, name) != getattr(now, name)]
        names = [*(["inputs"] if inputs != self._session.inputs else []), *changed]
        since = f" Changed since: {', '.join(names)}." if names else ""
        what = f"{number_of(members, 'member')} with {params.skymethod}, {params.skystat}"
        told = f"what figures still show is the last good result, of {what}.{since}"
        self.widget.value = f"⚠ There is no fresh solution; {escape(told)}"
        self.widget.layout.display = ""
