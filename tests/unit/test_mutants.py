"""Mutants: what each operator makes, how it is written, and what is left alone."""

from __future__ import annotations

import ast

import pytest

from grader.authoring.mutation.mutants import mutants_of
from grader.errors import ExerciseError

ALL = frozenset(range(1, 10_000))


def changes(source: str) -> dict[str, list[str]]:
    """Operator → the lines that its mutants put in the place of others."""
    found: dict[str, list[str]] = {}
    for mutant in mutants_of({"solution.py": source.encode()}, {"solution.py": ALL}):
        added = [line[1:].strip() for line in mutant.diff.splitlines()[2:] if line[0] == "+"]
        found.setdefault(mutant.operator, []).append("; ".join(added))
    return found


@pytest.mark.parametrize(
    ("source", "operator", "expected"),
    [
        ("x = a < b\n", "compare", ["x = a <= b", "x = a >= b"]),
        ("x = a >= b\n", "compare", ["x = a > b", "x = a < b"]),
        ("x = a not in b\n", "compare", ["x = a in b"]),
        ("x = a is  not b\n", "compare", ["x = a is b"]),
        ("x = a == b != c\n", "compare", ["x = a != b != c", "x = a == b == c"]),
        ("x = a + b\n", "arithmetic", ["x = a - b"]),
        ("x = (a + b) * c\n", "operand", ["x = a + b", "x = c", "x = (a) * c", "x = (b) * c"]),
        ("x = a & ~b\n", "arithmetic", ["x = a | ~b"]),
        ("x = a & ~b\n", "unary", ["x = a & b"]),
        ("x = not (a and b)\n", "boolean", ["x = not (a or b)"]),
        ("x = a and b and c\n", "operand", ["x = b and c", "x = a and c", "x = a and b"]),
        ("x = 3\n", "constant", ["x = 4", "x = 2"]),
        ("x = 0\n", "constant", ["x = 1", "x = -1"]),
        ("x = 0.5\n", "constant", ["x = 1.0", "x = 0.25"]),
        ("x = f(flag=True)\n", "constant", ["x = f(flag=False)"]),
        ("if a:\n    b()\n", "condition", ["if True:", "if False:"]),
        ("while a:\n    b()\n", "condition", ["while False:"]),
        ("x = [a for a in b if a]\n", "condition", ["x = [a for a in b if True]"]),
        ("f(a)\n", "statement", ["pass"]),
        ("x = 'a'\nx = 'b'\n", "statement", ["pass"]),
        ("x += a\n", "augmented", ["x = a"]),
        ("x += a\n", "arithmetic", ["x -= a"]),
        ("x = f(a, n=b)\n", "keyword n", ["x = f(a)"]),
        ("x = f(n=b, m=c)\n", "keyword n", ["x = f(m=c)"]),
        ("x = f(n=b)\n", "keyword n", ["x = f()"]),
        ("x = f(a)\n", "unwrapped", ["x = a"]),
        ("x = f(a + b) * c\n", "unwrapped", ["x = (a + b) * c"]),
        ("x = a.f(b)\n", "unwrapped", ["x = a"]),
        ("import numpy as np\nx = np.abs(a)\n", "unwrapped", ["x = a"]),
        ("x = a.copy()\n", "copy dropped", ["x = a"]),
        ("x = f(a, b, c)\n", "swapped", ["x = f(b, a, c)"]),
        ("def f():\n    return a\n", "returned", ["return None"]),
        ("raise TypeError('x')\n", "exception", ["raise ValueError('x')"]),
        ("raise NotFittedError\n", "exception", ["raise Exception"]),
        ("try:\n    a()\nexcept B:\n    c()\n", "caught", ["raise"]),
        ("x = a[b:c]\n", "window", ["x = a[:c]", "x = a[b - 1:c]", "x = a[b:]", "x = a[b:c - 1]"]),
        ("x = [a for a in range(n)]\n", "window", ["x = [a for a in range(n - 1)]"]),
        ("x = a.mean()\n", "statistic", ["x = a.median()"]),
        ("x = max(a, b)\n", "statistic", ["x = min(a, b)"]),
        ("x = f(average='macro')\n", "word", ['x = f(average="micro")']),
        ("x = f(axis=-1)\n", "axis", ["x = f(axis=0)"]),
        ("x = a.transform(b)\n", "refitted", ["x = a.fit_transform(b)"]),
        ("m.fit(x.iloc[train])\n", "all rows", ["m.fit(x)"]),
        ("m.fit(x[train], y[train])\n", "all rows", ["m.fit(x, y[train])", "m.fit(x[train], y)"]),
        ("def f(x_train, x_test):\n    g(x_test)\n", "other rows", ["g(x_train)"]),
        ("x = split(y, stratify=y)\n", "keyword stratify", ["x = split(y)"]),
        ("x = re.sub(r'a+b', y, z)\n", "pattern", ['x = re.sub(r"ab", y, z)']),
        (
            "x = re.match(r'\\bab$', y)\n",
            "pattern",
            ['x = re.match(r"ab$", y)', 'x = re.match(r"\\bab", y)'],
        ),
        ("x = re.compile(r'(?<!(a))[+*]')\n", "pattern", ['x = re.compile(r"[+*]")']),
        ("x = re.compile(r'(?:ab)??')\n", "pattern", ['x = re.compile(r"(?:ab)")']),
        ("x = re.compile('a\"+')\n", "pattern", ["x = re.compile('a\"')"]),
        ("x = re.compile('a', re.ASCII)\n", "flag", ["x = re.compile('a')"]),
        (
            "x = a.replace('b', ' c ')\n",
            "blank",
            ["x = a.replace('b', 'c ')", "x = a.replace('b', ' c')"],
        ),
        ("x = a + ' '\n", "blank", ["x = a + ''"]),
    ],
)
def test_an_operator_makes_these_mutants(source: str, operator: str, expected: list[str]) -> None:
    assert changes(source)[operator] == expected


@pytest.mark.parametrize(
    "source",
    [
        '"""Words: 1 + 1."""\n',
        "import a.b\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    x = 1 + 1\n",
        "if __name__ == '__main__':\n    f(1)\n",
        "log.debug('x', 1)\n",
        "print(1 + 2)\n",
        "__all__ = f('x', 1)\n",
        "def f(a: g(1)) -> g(2):\n    '''Words.'''\n",
        "x = f'{1 + 1}'\n",
        "@f(1)\ndef g():\n    '''Words.'''\n",
    ],
)
def test_what_nobody_can_see_is_not_mutated(source: str) -> None:
    assert changes(source) == {}


def test_words_of_an_error_are_not_mutated() -> None:
    assert changes("raise ValueError(f(1) + 2)\n") == {
        "statement": ["pass"],
        "exception": ["raise TypeError(f(1) + 2)"],
    }


def test_comments_and_layout_stay() -> None:
    source = "x = (\n    a  # the first\n    + b  # the second\n)\n"
    (mutant,) = (
        m
        for m in mutants_of({"solution.py": source.encode()}, {"solution.py": ALL})
        if m.operator == "arithmetic"
    )
    assert mutant.content.decode() == source.replace("+", "-")


def test_every_mutant_is_python_and_another_program() -> None:
    source = "def f(a, b=1):\n    é = [x ** 2 for x in a if x > b]\n    return (sum(é) or -b) - 1\n"
    mutants = mutants_of({"solution.py": source.encode()}, {"solution.py": ALL})
    trees = {ast.dump(ast.parse(mutant.content)) for mutant in mutants}
    assert (len(trees), ast.dump(ast.parse(source)) in trees) == (len(mutants), False)


def test_lines_that_the_contract_does_not_reach_are_not_mutated() -> None:
    files = {"solution.py": b"x = 1\ny = 2\n", "other.py": b"z = 3\n"}
    mutants = mutants_of(files, {"solution.py": frozenset({2})})
    assert [(m.path, m.line) for m in mutants] == [("solution.py", 2), ("solution.py", 2)]


def test_a_digest_stays_when_other_code_moves_its_own() -> None:
    code = b"def f(a):\n    return a + 1\n"
    before = mutants_of({"solution.py": code}, {"solution.py": ALL})
    after = mutants_of({"solution.py": b"A = 'x'\n\n\n" + code}, {"solution.py": ALL})
    assert [m.digest for m in before] == [m.digest for m in after]


def test_equal_changes_of_equal_lines_have_digests_of_their_own() -> None:
    source = b"def f(a):\n    g(a)\n    h(a)\n    g(a)\n"
    mutants = mutants_of({"solution.py": source}, {"solution.py": ALL})
    digests = {mutant.digest for mutant in mutants}
    assert (len(mutants), len(digests)) == (3, 3)


def test_a_file_that_is_no_python_is_named_with_its_line() -> None:
    with pytest.raises(ExerciseError, match=r"^solution\.py:2: this cannot be mutated"):
        mutants_of({"solution.py": b"x = 1\nx = = 2\n"}, {"solution.py": ALL})
