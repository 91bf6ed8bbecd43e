"""Every parameter of the declaration, changed on the page."""

import pytest
from panel_page import control
from parameter_changes import CHANGES, rich_exposures

from skymatch_nb.params import specs

pytestmark = pytest.mark.xdist_group("lab")

exposures = rich_exposures

PARTS = 6
"""Tests that the parameters are shared out to, so that none takes long."""


def test_every_parameter_is_changed_below():
    assert sorted(CHANGES) == sorted(spec.name for spec in specs())
    defaults = {spec.name: spec.default for spec in specs() if spec.name != "verbose"}
    assert [name for name, default in defaults.items() if CHANGES[name].value == default] == []


@pytest.mark.parametrize("part", range(PARTS))
def test_every_parameter_does_on_the_page_what_it_does_in_python(desk, part):
    """One after the other, each on top of those before, which code sets for parts after the first."""
    names = list(CHANGES)
    first, end = (len(names) * k // PARTS for k in (part, part + 1))
    assert desk.run(f"s.configure(**{ ({name: CHANGES[name].value for name in names[:first]})!r})") == ""
    before = desk.check(**{name: CHANGES[name].value for name in names[:first]})
    for name in names[first:end]:
        change = CHANGES[name]
        change.do(desk.page, name)
        after = desk.check(**{name: change.value})
        assert after.equals(before) != change.acts, name
        assert control(desk.page, name).locator(".skymatch-error").inner_text() == "", name
        before = after
    desk.wait_params(**{name: CHANGES[name].value for name in names[:end]})
    desk.picture(f"lab_parameters_{part + 1}")
