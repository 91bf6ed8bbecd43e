"""Messages stay as long as they are true, and nothing fails silently."""

import threading
import warnings

import pytest

from skymatch_nb.widgets.guard import Guard, warnings_told
from skymatch_nb.widgets.messages import Messages


def test_errors_of_steps_and_of_actions_come_and_go_by_themselves():
    messages = Messages()
    messages.fail("no file")
    messages.refuse("no such group")
    assert messages.error == "no file\nno such group"
    messages.clear_error()
    assert messages.error == "no such group"
    assert "no such group" in messages.box.value
    messages.clear_refused()
    assert messages.error == messages.box.value == ""


def test_everything_is_escaped():
    messages = Messages()
    messages.fail("<b>1</b>")
    messages.refuse("<b>2</b>")
    messages.warn(["<b>3</b>"])
    messages.warn_also("<b>4</b>")
    messages.say("<b>5</b>")
    assert "<b>" not in messages.box.value + messages._status.value
    assert all(f"&lt;b&gt;{k}&lt;/b&gt;" in messages.box.value for k in range(1, 5))


def test_warnings_are_replaced_and_those_of_python_kept():
    messages = Messages()
    messages.warn(["one", "two"])
    messages.warn_also("UserWarning: three")
    messages.warn(["two"])
    assert "one" not in messages.box.value
    assert messages.box.value.count("⚠") == 2
    messages.forget_warnings()
    assert messages.box.value == ""


def test_progress_is_shown_while_there_is_some():
    messages = Messages()
    messages.progress(3, 12, "read")
    assert (messages._progress.value, messages._progress.max) == (3, 12)
    assert messages._progress.layout.display == ""
    assert messages._status.value == "read: 3 of 12"
    messages.finish("done")
    assert messages._progress.layout.display == "none"


def test_a_guard_reports_and_only_actions_tell_that_all_is_well():
    errors, well = [], []
    guard = Guard(errors.append, lambda: well.append(1))
    assert guard.attempt(lambda: 5) == 5
    assert guard.attempt(lambda: 1 / 0) is None
    guard.handler(lambda a, b: None)(1, 2)
    guard.handler(lambda change: change["missing"])({})
    assert [type(e) for e in errors] == [ZeroDivisionError, KeyError]
    assert len(well) == 1


def test_warnings_of_the_panels_threads_are_told_and_others_shown_as_ever():
    told = []

    def warn(name):
        thread = threading.Thread(target=lambda: warnings.warn(name, UserWarning, stacklevel=1), name=name)
        thread.start()
        thread.join()

    def both():
        with warnings_told(told.append):
            warn("skymatch_nb_0")
            warn("elsewhere")

    with pytest.warns(UserWarning, match="elsewhere") as shown:
        both()
    assert told == ["UserWarning: skymatch_nb_0"]
    assert [str(w.message) for w in shown] == ["elsewhere"]
