"""Every parameter of the declaration, changed on the page."""

import pytest
from panel_page import control
from parameter_changes import CHANGES, rich_exposures

from skymatch_nb.params import specs

pytestmark = pytest.mark.xdist_group("lab")

exposures = rich_exposures


def test_every_parameter_is_changed_below():
    assert sorted(CHANGES) == sorted(spec.name for spec in specs())
    defaults = {spec.name: spec.default for spec in specs() if spec.name != "verbose"}
    assert [name for name, default in defaults.items() if CHANGES[name].value == default] == []


def test_every_parameter_does_on_the_page_what_it_does_in_python(desk):
    """One after the other, each on top of those before."""
    before = desk.check()
    for name, change in CHANGES.items():
        change.do(desk.page, name)
        after = desk.check(**{name: change.value})
        assert after.equals(before) != change.acts, name
        assert control(desk.page, name).locator(".skymatch-error").inner_text() == "", name
        before = after
    changed = {name: change.value for name, change in CHANGES.items()}
    assert desk.wait_params(**changed) == changed
    desk.picture("lab_all_parameters")
