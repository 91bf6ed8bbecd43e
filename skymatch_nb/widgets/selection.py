"""What is selected in a panel: exposures and pairs of them, the same in every view."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[str, str]


@dataclass(frozen=True)
class Selection:
    """Names of selected members, of their groups, and of pairs of groups; ``overlap``: a row of the overlaps table."""

    members: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()
    overlap: int | None = None

    def __bool__(self) -> bool:
        return bool(self.groups or self.pairs)


def selected_rows(name: str, data: Mapping[str, Any], indices: list[int]) -> Selection:
    """Selection that rows of a figure's data source mean; ``name`` is the source's."""
    if name == "members":
        members = frozenset(str(data["member"][k]) for k in indices)
        return Selection(members, frozenset(str(data["group"][k]) for k in indices))
    if name == "groups":
        return Selection(groups=frozenset(str(data["group"][k]) for k in indices))
    if name == "pairs":
        return Selection(pairs=frozenset(_pair(data["group_a"][k], data["group_b"][k]) for k in indices))
    pairs = frozenset(_pair(data["of_a"][k], data["of_b"][k]) for k in indices)
    return Selection(pairs=pairs, overlap=int(data["index"][indices[0]]) if indices else None)


def rows_selected(name: str, data: Mapping[str, Any], selection: Selection) -> list[int]:
    """Rows of a figure's data source that belong to a selection."""
    if name == "members":
        names = data["member"] if selection.members else data["group"]
        chosen = selection.members or selection.groups
        return [k for k, member in enumerate(names) if str(member) in chosen]
    if name == "groups":
        return [k for k, group in enumerate(data["group"]) if str(group) in selection.groups]
    columns = ("group_a", "group_b") if name == "pairs" else ("of_a", "of_b")
    ends = zip(data[columns[0]], data[columns[1]], strict=True)
    return [k for k, (a, b) in enumerate(ends) if _pair(a, b) in selection.pairs]


@dataclass
class Selected:
    """The present selection, and who wants to know of another one."""

    selection: Selection = field(default_factory=Selection)
    watchers: list[Callable[[Selection], None]] = field(default_factory=list)

    def take(self, name: str, chosen: Selection) -> None:
        """Take over what was selected in a source, or in a table with such rows: members and groups, or pairs."""
        now = self.selection
        if name in ("members", "groups"):
            self.set(Selection(chosen.members, chosen.groups, now.pairs, now.overlap))
        else:
            self.set(Selection(now.members, now.groups, chosen.pairs, chosen.overlap))

    def set(self, selection: Selection) -> None:
        """Change the selection and tell everybody, where it is another one."""
        if selection != self.selection:
            self.selection = selection
            for watcher in self.watchers:
                watcher(selection)


def _pair(a: Any, b: Any) -> Pair:
    first, second = sorted((str(a), str(b)))
    return first, second
