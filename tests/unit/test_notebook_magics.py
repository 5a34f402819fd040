from __future__ import annotations

import pytest

from grader.notebook.magics import plain_source
from grader.notebook.read import read_notebook
from tests.unit.notebooks import notebook


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
        ("# step\n%%time\nx = 1", "# step\n\nx = 1"),
        ("%%time\n%%capture\nx = 1", "\n\nx = 1"),
        ("%%capture\n%pip install x\nx = 1", "\n\nx = 1"),
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
    assert plain_source("%%writefile /etc/x.py\nx = 1").notes == ("%%writefile",)
    assert plain_source("%%writefile ../x.py\nx = 1").notes == ("%%writefile",)
    assert plain_source("%%writefile {name}.py\nx = 1").notes == ("%%writefile",)
    assert plain_source("%%writefile solution.py\nx = 1").notes == ()  # it is added as a file
    assert plain_source("%matplotlib inline\n%load_ext autoreload").notes == ()


@pytest.mark.parametrize("source", ["%%time\nx", "%time x", "y = %time x", "%timeit x"])
def test_a_cell_that_asks_for_times_is_marked(source: str) -> None:
    assert plain_source(source).timed


@pytest.mark.parametrize("source", ["%", "%%", "!", "?", "x = %", "'", '"""', "\\", "(", "%%\n%%"])
def test_fragments_keep_their_number_of_lines(source: str) -> None:
    assert plain_source(source).text.count("\n") == source.count("\n")


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("pip install -q pandas", "%pip"),
        ("pip  install pandas==2.0", "%pip"),
        ("conda install -y x", "%conda"),
        ("cd data", "%cd"),
        ("cd ..", "%cd"),
        ("cd /content", "%cd"),
        ("ls", "%ls"),
        ("ls -la", "%ls"),
        ("ls *.csv", "%ls"),
        ("cat x.py", "%cat"),
        ("mkdir -p out", "%mkdir"),
        ("run other.py", "%run"),
        ("load x.py", "%load"),
    ],
)
def test_magics_without_their_mark_do_nothing(line: str, name: str) -> None:
    found = plain_source(f"{line}\nimport pandas as pd")
    assert (found.text, found.notes) == ("\nimport pandas as pd", (name,))


@pytest.mark.parametrize(
    ("line", "plain"), [("time x = f()", "x = f()"), ("matplotlib inline", ""), ("whos", "")]
)
def test_harmless_magics_without_their_mark_are_as_those_with_it(line: str, plain: str) -> None:
    assert (plain_source(line).text, plain_source(line).notes) == (plain, ())


@pytest.mark.parametrize(
    "line",
    [
        "ls = 3", "ls.sort()", "ls[0]", "ls(1)", "ls - 1", "ls / 2", "ls in x", "ls if x else y",
        "ls, x = y", "time.sleep(1)", "time: int = 3", "env", "x = (\npip\n)",
        "'''\npip install x\n'''", "def f():\n    cd", "run == 3", "page = 1", "print(ls)",
        "pipe install", "store or x",
    ],
)  # fmt: skip
def test_python_that_begins_like_a_magic_stays(line: str) -> None:
    assert (plain_source(line).text, plain_source(line).notes) == (line, ())


@pytest.mark.parametrize(
    "binding",
    ["ls = [3]", "for ls in x:\n    pass", "import ls", "from a import b, ls", "def ls(): ...",
     "import b as ls", "with f() as ls:\n    pass", "a, ls = 1, 2", "a = ls = 1"],
)  # fmt: skip
def test_a_name_that_the_notebook_binds_is_no_magic(binding: str) -> None:
    cells = read_notebook("x.ipynb", notebook(binding, "ls", "ls -l")).code
    assert [cell.plain for cell in cells[1:]] == ["ls", "ls -l"]


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("%%bash\nls", "%%bash"),
        ("%%R -i df\nsummary(df)", "%%R"),
        ("%%sql postgresql://x\nSELECT 1", "%%sql"),
        ("%%javascript\nalert(1)", "%%javascript"),
        ("%%bigquery df\nSELECT 1", "%%bigquery"),
        ("%%script perl\nprint 1", "%%script"),
        ("%%!\nls", "%%!"),
        ("# list them\n%%bash\nls", "%%bash"),
        ("%sql\nSELECT *\nFROM x", "%sql"),
        ("%sql SELECT *\nFROM x", "%sql"),
        ("%md\n# Title\nof (a", "%md"),
        ("%md # Title\n- b", "%md"),
        ("%sh ls\nrm x", "%sh"),
        ("%scala\nval x = 1", "%scala"),
        ("%r\nx <- 1", "%r"),
        ("%fs ls /x", "%fs"),
    ],
)
def test_cells_of_other_languages_do_nothing(source: str, note: str) -> None:
    assert plain_source(source).text == "\n" * source.count("\n")
    assert plain_source(source).notes == (note,)


def test_a_line_of_sql_above_python_takes_nothing_along() -> None:
    assert plain_source("%sql SELECT 1\nx = 1").text == "\nx = 1"
    assert plain_source("%python\nx = 1").text == "\nx = 1"
