from __future__ import annotations

import pytest

from grader.notebook.magics import plain_source


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("%matplotlib inline\nx = 1", "\nx = 1"),
        ("%%time\nx = 1", "\nx = 1"),
        ("%%capture out\nx = 1", "\nx = 1"),
        ("%time x = f()", "x = f()"),
        ("y = %time f()", "y = f()"),
        ("%timeit -n 10 -r 3 f(x)", "f(x)"),
        ("y = %timeit -o f(x)", "y = None"),
        ("files = !ls *.csv", "files = []"),
        ("\t a.b['x'], c [0]\t =  %time f(x = 1)", "a.b['x'], c [0] = f(x = 1)"),
        ("a=!ls", "a = []"),
        ("x = %", "x = None"),
        ("!pip install \\\n    foo\nx = 1", "\n\nx = 1"),
        ("if x:\n    !ls", "if x:\n    pass"),
        ("if x:\n    %time f()", "if x:\n    f()"),
        ("frame.head?", ""),
        ("?frame", ""),
        ("    x = 1\n    y = 2", "x = 1\ny = 2"),
        ("%%bash\nls\nrm x", "\n\n"),
        ("%%html\n<b>x</b>", "\n"),
        ("%run other.py\nx = 1", "\nx = 1"),
        ("\n\n%%time\nx = 1", "\n\n\nx = 1"),
    ],
)
def test_magics_give_way_to_the_code_they_apply_to(source: str, plain: str) -> None:
    assert plain_source(source).text == plain


@pytest.mark.parametrize(
    "source",
    [
        "x = 5\\\n% 3",
        "x = (7\n% 3)",
        "text = '''\n%time x\n!ls\n'''",
        'text = "abc\\\n%time"',
        "x = [  # (\n'!',\n]\ny = 1 != 2",
        "f'{x!r}'",
        "x %= 3",
        "x == %y",
        "x != %y",
        "f(a=%b",
        "a, b = c = !ls",
        "a\tb = !ls",
        "= !ls",
        "def f():\n    return a % b",
        "@decorator\ndef f():\n    pass",
    ],
)
def test_python_stays_as_it_is(source: str) -> None:
    assert plain_source(source).text == source
    assert plain_source(source).notes == ()


def test_what_does_nothing_here_is_named_once() -> None:
    assert plain_source("!ls\n!cd x\n%pip install a\n%run b.py").notes == ("!", "%pip", "%run")
    assert plain_source("%%writefile solution.py\nx = 1").notes == ("%%writefile",)
    assert plain_source("%matplotlib inline\n%load_ext autoreload").notes == ()


@pytest.mark.parametrize("source", ["%%time\nx", "%time x", "y = %time x", "%timeit x"])
def test_a_cell_that_asks_for_times_is_marked(source: str) -> None:
    assert plain_source(source).timed


@pytest.mark.parametrize("source", ["%", "%%", "!", "?", "x = %", "'", '"""', "\\", "(", "%%\n%%"])
def test_fragments_keep_their_number_of_lines(source: str) -> None:
    assert plain_source(source).text.count("\n") == source.count("\n")
