"""What is selected in a panel: groups and pairs of them, the same in every view.

Members of a group share one sky, so they are selected together: all chips of an exposure, or each chip by itself where
``group_by`` is 'chip'.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[str, str]


@dataclass(frozen=True)
class Selection:
    """Names of selected groups, and of pairs of groups.

    ``member`` and ``overlap`` (a row of the overlaps table) are the parts that were tapped, whose pixels are shown.
    """

    groups: frozenset[str] = frozenset()
    pairs: frozenset[Pair] = frozenset()
    member: str | None = None
    overlap: int | None = None

    def __bool__(self) -> bool:
        return bool(self.groups or self.pairs)


def selected_rows(name: str, data: Mapping[str, Any], indices: list[int]) -> Selection:
    """Selection that rows of a figure's data source mean; ``name`` is the source's."""
    if name == "members":
        member = str(data["member"][indices[0]]) if indices else None
        return Selection(frozenset(str(data["group"][k]) for k in indices), member=member)
    if name == "groups":
        return Selection(groups=frozenset(str(data["group"][k]) for k in indices))
    if name == "pairs":
        return Selection(pairs=frozenset(_pair(data["group_a"][k], data["group_b"][k]) for k in indices))
    pairs = frozenset(_pair(data["of_a"][k], data["of_b"][k]) for k in indices)
    return Selection(pairs=pairs, overlap=int(data["index"][indices[0]]) if indices else None)


def rows_selected(name: str, data: Mapping[str, Any], selection: Selection) -> list[int]:
    """Rows of a figure's data source that belong to a selection.

    Rows of ``pairs`` (residuals, graph) are those of the selected groups, where no pair itself is selected.
    """
    if name in ("members", "groups"):
        return [k for k, group in enumerate(data["group"]) if str(group) in selection.groups]
    columns = ("group_a", "group_b") if name == "pairs" else ("of_a", "of_b")
    ends = zip(data[columns[0]], data[columns[1]], strict=True)
    if name == "pairs" and not selection.pairs:
        return [k for k, both in enumerate(ends) if not selection.groups.isdisjoint(map(str, both))]
    return [k for k, (a, b) in enumerate(ends) if _pair(a, b) in selection.pairs]


def after_click(name: str, data: Mapping[str, Any], before: list[int], now: list[int]) -> Selection:
    """Selection after a click that changed the selected rows.

    A click takes away rows of a group only with the others of that group; one on a group that is selected alone takes
    it away, and one on a group that is selected with others leaves it alone.
    """
    chosen, dropped = (selected_rows(name, data, rows) for rows in (now, [k for k in before if k not in now]))
    if any(k not in before for k in now):
        return chosen
    groups = chosen.groups - dropped.groups if dropped.groups <= chosen.groups else chosen.groups
    pairs = chosen.pairs - dropped.pairs if dropped.pairs <= chosen.pairs else chosen.pairs
    return Selection(groups, pairs, chosen.member if groups else None, chosen.overlap if pairs else None)


@dataclass(frozen=True)
class Field:
    """What can be selected: the group of every member, and the members of every row of the overlaps table."""

    groups: Mapping[str, str] = field(default_factory=dict)
    overlaps: tuple[Pair, ...] = ()

    def renewed(self, loaded: Any, overlaps: Any) -> "Field":
        """Field of the results of the steps ``group`` and ``overlap``; what is None is as it was."""
        if loaded is None:
            return self
        names = [m.name for m in loaded.members]
        groups = {m.name: m.group for m in loaded.members}
        if overlaps is None:
            return Field(groups, tuple(ends for ends in self.overlaps if groups.keys() >= set(ends)))
        ends = zip(overlaps.member_a.tolist(), overlaps.member_b.tolist(), strict=True)
        return Field(groups, tuple((names[a], names[b]) for a, b in ends))


def followed(selection: Selection, before: Field, now: Field) -> Selection:
    """Selection of the same members, and overlaps of them, in the groups that there are now.

    Groups that there were not before are those that somebody asked for; what there is no longer is not selected.
    """
    there = set(now.groups.values())
    known = set(before.groups.values())
    groups = {group for group in selection.groups if group not in known and group in there}
    groups |= {now.groups[m] for m, group in before.groups.items() if group in selection.groups and m in now.groups}
    pairs = {pair for pair in selection.pairs if not known.issuperset(pair) and there.issuperset(pair)}
    for a, b in now.overlaps:
        ends = before.groups.get(a), before.groups.get(b)
        if None not in ends and _pair(*ends) in selection.pairs and now.groups[a] != now.groups[b]:
            pairs.add(_pair(now.groups[a], now.groups[b]))
    member = selection.member if now.groups.get(selection.member or "") in groups else None
    return Selection(frozenset(groups), frozenset(pairs), member, _same_overlap(selection, before, now, pairs))


def _same_overlap(selection: Selection, before: Field, now: Field, pairs: set[Pair]) -> int | None:
    """Row of the selected overlap as the table is now."""
    row = selection.overlap
    if row is None or row >= len(before.overlaps) or before.overlaps[row] not in now.overlaps:
        return None
    a, b = before.overlaps[row]
    return now.overlaps.index((a, b)) if _pair(now.groups[a], now.groups[b]) in pairs else None


@dataclass
class Selected:
    """The present selection, and who wants to know of another one."""

    selection: Selection = field(default_factory=Selection)
    watchers: list[Callable[[Selection], None]] = field(default_factory=list)

    def take(self, name: str, chosen: Selection) -> None:
        """Take over what was selected in a source, or in a table with such rows: groups, or pairs of them."""
        now = self.selection
        if name in ("members", "groups"):
            self.set(Selection(chosen.groups, now.pairs, chosen.member, now.overlap))
        else:
            self.set(Selection(now.groups, chosen.pairs, now.member, chosen.overlap))

    def set(self, selection: Selection) -> None:
        """Change the selection and tell everybody, where it is another one."""
        if selection != self.selection:
            self.selection = selection
            self.tell()

    def tell(self) -> None:
        """Tell everybody of the present selection."""
        for watcher in self.watchers:
            watcher(self.selection)


def _pair(a: Any, b: Any) -> Pair:
    first, second = sorted((str(a), str(b)))
    return first, second
