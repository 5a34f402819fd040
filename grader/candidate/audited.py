"""What the library and the image's packages compile for themselves, by the function that does it.

Found by running the honest solutions with a hook that wrote down whatever it did not know.
"""

from __future__ import annotations

import builtins
import dataclasses
import opcode
import re
import timeit
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import CodeType, FrameType

__all__ = [
    "ALLOWED",
    "DENIED_PICKLES",
    "DOORS",
    "EVALUATES",
    "EVALUATORS",
    "FOREIGN",
    "KNOWN",
    "LISTS_LIBRARIES",
    "PROGRAMS",
    "STARTERS",
    "hint_code",
    "hint_shape",
    "ran_inert",
]

# As in `grader.candidate.audit`, whose hook asks the functions below.
globals()["__builtins__"] = dict(vars(builtins))

_FIELD = dataclasses.Field
_FIELD_NAME: Any = vars(_FIELD)["name"]
_NAME_OF = _FIELD_NAME.__get__


def _steps(*names: str) -> frozenset[int]:
    """Operations by name, as far as this Python has them."""
    return frozenset(opcode.opmap[name] for name in names if name in opcode.opmap)


_INERT = _steps(
    *("RESUME", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_ATTR", "LOAD_CONST", "BINARY_SUBSCR"),
    *("BUILD_TUPLE", "BUILD_LIST", "BINARY_OP", "RETURN_VALUE", "CACHE", "EXTENDED_ARG"),
    *("PUSH_NULL", "NOP", "LIST_EXTEND", "RETURN_CONST"),
)
# A hint without a call: names, attributes, subscripts, constants, tuples, lists, `|` and `*`. Words
# and constants have something between them, so there is no keyword and no prefix of a string.
_TEXT = r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*\""""
_ATOM = rf"""(?:[^\W\d]\w*|-?\d+|\.\.\.|{_TEXT}|(?<=\[)\(\))"""
_INERT_HINT = re.compile(rf"\s*(?:(?:{_ATOM}\s*)?[.,|*\[\]]\s*)*(?:{_ATOM}\s*)?")


def ran_inert(code: CodeType, _frame: FrameType) -> bool:
    """Code that only looks names up, as a type hint does."""
    return _is_inert(code)


def _is_inert(code: CodeType) -> bool:
    return _INERT.issuperset(code.co_code[::2])


def _has_form(pattern: re.Pattern[str]) -> Callable[[object, FrameType], bool]:
    """Whether a text has a form in which it calls nothing that matters.

    It is not parsed: a submission can change what trees are made of.
    """

    def check(source: object, _frame: FrameType) -> bool:
        if type(source) is bytes:
            source = source.decode("utf-8", "replace")
        return type(source) is str and pattern.fullmatch(source) is not None

    return check


def hint_shape(code: CodeType) -> tuple[object, ...]:
    """What makes two codes of an expression the same."""
    return code.co_code, code.co_names, code.co_consts


def hint_code(text: str) -> CodeType | None:
    """The code of a hint that does more than look names up; None of any other.

    Such a hint calls something, as in ``Annotated[str, Depends(settings)]``, or unpacks something.
    """
    try:
        code: CodeType = compile(text, "<string>", "eval", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return None if _is_inert(code) else code


_JUMPS = frozenset(
    code
    for name, code in opcode.opmap.items()
    if "JUMP" in name or name in {"FOR_ITER", "SEND", "SETUP_FINALLY"}
)
_CALLS = _steps("CALL", "CALL_KW", "CALL_FUNCTION_EX")


def _is_straight(code: CodeType, calls: int) -> bool:
    """Whether a function runs from its first step to its last, and calls no more than so often."""
    steps = code.co_code[::2]
    return _JUMPS.isdisjoint(steps) and sum(step in _CALLS for step in steps) <= calls


def _plain_fields(code: CodeType, frame: FrameType) -> bool:
    """Of a dataclass: its fields have names and not code for names, and nothing else is named."""
    at: FrameType | None = frame
    while at is not None and at.f_code.co_filename == frame.f_code.co_filename:
        if at.f_code.co_name == "_process_class":
            fields = at.f_locals.get("fields")
            return (
                type(fields) is dict
                and all(map(_is_plain, fields.values()))
                and _names_of(code) <= _METHOD_NAMES.union(map(_NAME_OF, fields.values()))
            )
        at = at.f_back
    return False


def _names_of(code: CodeType) -> set[str]:
    """Globals and attributes that a code and those in it use."""
    found = set(code.co_names)
    for value in code.co_consts:
        if type(value) is type(code):
            found |= _names_of(value)
    return found


def _is_plain(field: object) -> bool:
    if type(field) is not _FIELD or vars(_FIELD).get("name") is not _FIELD_NAME:
        return False
    name = _NAME_OF(field)
    return type(name) is str and name.isidentifier()


def _makes_a_tuple(code: CodeType, _frame: FrameType) -> bool:
    """Of a named tuple: the text is a function that makes a tuple of what it gets, no more."""
    return not code.co_names and [*map(_new_tuple, _functions(code))] == [True]


def _functions(code: CodeType) -> list[CodeType]:
    return [value for value in code.co_consts if type(value) is type(code)]


def _new_tuple(code: CodeType) -> bool:
    """Whether a function only makes a tuple of its arguments, by one call."""
    steps = code.co_code[::2]
    return (
        code.co_names == ("_tuple_new",)
        and not _functions(code)
        and _TUPLE.issuperset(steps)
        and steps.count(opcode.opmap["CALL"]) == 1
    )


def _makes_a_bunch(code: CodeType, _frame: FrameType) -> bool:
    """Of scipy's named tuples: three functions, of which only the first has the fields' names."""
    functions = _functions(code)
    return (
        set(code.co_names) <= _BUNCH_METHODS
        and len(functions) == len(_BUNCH_METHODS)
        and _new_tuple(functions[0])
        and all(_names_of(function) <= _BUNCH_NAMES for function in functions[1:])
    )


def _parses_arguments(code: CodeType, _frame: FrameType) -> bool:
    """Of scipy's distributions: three functions that hand their arguments on."""
    return (
        set(code.co_names) <= _PARSERS
        and all(set(function.co_names) <= {"_argcheck_rvs"} for function in _functions(code))
        and all(_is_straight(function, 1) for function in _functions(code))
        and not any(map(_functions, _functions(code)))
    )


def _times_a_function(code: CodeType, _frame: FrameType) -> bool:
    """Of timeit: the loop around a function; what sets up is nothing, or a function."""
    return code in _TIMED


def _defines(*names: str) -> Callable[[CodeType, FrameType], bool]:
    """Of a library: one function is defined, which names no more than this; nothing is called.

    The function does one thing after the other, and calls twice at most.
    """
    allowed = frozenset(names)

    def check(code: CodeType, _frame: FrameType) -> bool:
        functions = _functions(code)
        return (
            _DEFINING.issuperset(code.co_code[::2])
            and len(functions) == 1
            and _names_of(functions[0]) <= allowed
            and _is_straight(functions[0], 2)
        )

    return check


def _defines_a_property(code: CodeType, _frame: FrameType) -> bool:
    """Of shared memory: two functions that take a lock, and a property of them."""
    return _names_of(code) <= _PROPERTY_NAMES and len(_functions(code)) == len(_SIDES)


def _combines_tests(code: CodeType, _frame: FrameType) -> bool:
    """Of f2py: a function that calls what it was given."""
    functions = _functions(code)
    return set(code.co_names) <= {"f"} and len(functions) == 1 and not _names_of(functions[0])


def _imports_all(code: CodeType, _frame: FrameType) -> bool:
    """A star import, and nothing else."""
    return _STAR_IMPORT.issuperset(code.co_code[::2]) and len(code.co_names) == 1


def _deletes(code: CodeType, _frame: FrameType) -> bool:
    """Names are deleted, and nothing else happens."""
    return _DELETING.issuperset(code.co_code[::2])


def _calls_names(code: CodeType, _frame: FrameType) -> bool:
    """Of fontTools: names are called with names, and nothing is asked of them."""
    return _CALLING.issuperset(code.co_code[::2]) and EVALUATES.isdisjoint(code.co_names)


_SIDES = ("get", "set")
_PROPERTY_NAMES = frozenset(
    {
        *("acquire", "release", "_obj", "property"),
        *(side + name for side in ("", *_SIDES) for name in ("value", "raw")),
    }
)


_ENDS = _steps(
    *("RESUME", "LOAD_CONST", "RETURN_CONST", "RETURN_VALUE", "CACHE", "EXTENDED_ARG", "NOP"),
)
_DEFINING = _ENDS | _steps("MAKE_FUNCTION", "SET_FUNCTION_ATTRIBUTE", "STORE_NAME", "BUILD_TUPLE")
_STAR_IMPORT = _ENDS | _steps("IMPORT_NAME", "IMPORT_STAR", "CALL_INTRINSIC_1", "POP_TOP")
_DELETING = _ENDS | _steps("DELETE_NAME")
_CALLING = _ENDS | _steps("LOAD_NAME", "PUSH_NULL", "PRECALL", "CALL")
# Of fontTools: a condition of names and numbers, or one name that is called with others.
_TABLE = re.compile(r"[\w\s.<>=!&|+*-]*(?: in \([\d, ]*\))?|\w+\(\w+(?:,\s*\w+)*\)")
_LOOP: str = vars(timeit)["template"]
_TIMED = frozenset(
    compile(_LOOP.format(**part, stmt="_stmt()"), "<timeit-src>", "exec", dont_inherit=True)
    for part in (
        {"setup": "pass", "init": ", _stmt=_stmt"},
        {"setup": "_setup()", "init": ", _setup=_setup, _stmt=_stmt"},
    )
)
_TUPLE = _steps(
    *("RESUME", "LOAD_FAST", "LOAD_FAST_LOAD_FAST", "LOAD_GLOBAL", "PUSH_NULL", "BUILD_TUPLE"),
    "LOAD_CONST",  # of no field: an empty tuple
    *("PRECALL", "CALL", "RETURN_VALUE", "CACHE", "EXTENDED_ARG", "BUILD_LIST", "LIST_APPEND"),
    *("LIST_TO_TUPLE", "CALL_INTRINSIC_1"),  # of many fields
)
# what methods that a dataclass gets name, beside its fields
_METHOD_NAMES = frozenset(
    {
        *("NotImplemented", "__class__", "__create_fn__", "__delattr__", "__post_init__"),
        *("__qualname__", "__setattr__", "hash", "super", "type", "join"),  # join: a long repr
    }
)
_BUNCH_METHODS = frozenset({"__new__", "__init__", "__setattr__"})
_BUNCH_NAMES = frozenset(
    {
        *("_extra_fields", "TypeError", "items", "__dict__", "AttributeError", "__class__"),
        "__name__",
    }
)
_PARSERS = frozenset({"_parse_args", "_parse_args_rvs", "_parse_args_stats"})
# one of these is named by whatever compiles or executes; mpmath has its own name for exec
EVALUATES = frozenset({"exec", "eval", "compile", "exec_"})
# (file below its root, function) → may it execute this?
EVALUATORS: Mapping[tuple[str, str], Callable[[Any, FrameType], bool]] = {
    ("dataclasses.py", "_create_fn"): _plain_fields,  # Python 3.11
    ("dataclasses.py", "_FuncBuilder.add_fns_to_class"): _plain_fields,  # Python 3.13
    ("collections/__init__.py", "namedtuple"): _makes_a_tuple,
    ("typing.py", "ForwardRef._evaluate"): ran_inert,
    ("inspect.py", "get_annotations.<locals>.<dictcomp>"): ran_inert,
    ("inspect.py", "get_annotations"): ran_inert,
    ("timeit.py", "Timer.__init__"): _times_a_function,
    ("scipy/_lib/_bunch.py", "_make_tuple_bunch"): _makes_a_bunch,
    (
        "scipy/stats/_distn_infrastructure.py",
        "rv_generic._attach_argparser_methods",
    ): _parses_arguments,
    # while they are imported
    ("multiprocessing/managers.py", "MakeProxyType"): _defines("_callmethod"),
    ("multiprocessing/sharedctypes.py", "make_property"): _defines_a_property,
    ("numpy/f2py/auxfuncs.py", "l_and"): _combines_tests,
    ("numpy/f2py/auxfuncs.py", "l_or"): _combines_tests,
    ("numpy/f2py/auxfuncs.py", "l_not"): _combines_tests,
    ("scipy/_lib/array_api_compat/_internal.py", "clone_module"): _imports_all,
    ("sklearn/externals/array_api_compat/_internal.py", "clone_module"): _imports_all,
    ("scipy/optimize/_nonlin.py", "_nonlin_wrapper"): _defines(
        *("nonlin_solve", "BroydenFirst", "BroydenSecond", "Anderson", "LinearMixing"),
        *("DiagBroyden", "ExcitingMixing", "KrylovJacobian"),
    ),
    ("scipy/stats/_distn_infrastructure.py", "<module>"): _deletes,
    ("fontTools/ttLib/tables/otConverters.py", "buildConverters"): _calls_names,
}
# Packages of the base environment. What they and the standard library evaluate while they are
# imported is told above, so that only of other packages an import may evaluate what it likes.
KNOWN = frozenset(
    {
        *("IPython", "PIL", "asttokens", "cloudpickle", "contourpy", "cycler", "dateutil"),
        *("executing", "fontTools", "imblearn", "ipython_pygments_lexers", "jedi", "joblib"),
        *("kiwisolver", "matplotlib", "matplotlib_inline", "mpl_toolkits", "narwhals", "numpy"),
        *("packaging", "pandas", "parso", "pexpect", "prompt_toolkit", "psutil", "ptyprocess"),
        *("pure_eval", "pyarrow", "pygments", "pylab", "pyparsing", "scipy", "sklearn"),
        *("sklearn_compat", "stack_data", "threadpoolctl", "traitlets", "typing_extensions"),
        *("tzdata", "wcwidth"),
    }
)
# the same for what is compiled; where the code is kept, also of those above
ALLOWED: Mapping[tuple[str, str], Callable[[object, FrameType], bool]] = {
    ("typing.py", "ForwardRef.__init__"): _has_form(_INERT_HINT),
    ("fontTools/ttLib/tables/otConverters.py", "BaseConverter.__init__"): _has_form(_TABLE),
    ("fontTools/ttLib/tables/otConverters.py", "buildConverters"): _has_form(_TABLE),
}
# files whose calls of other programs ask about the machine
STARTERS = frozenset(
    {
        *("platform.py", "uuid.py", "ctypes/util.py", "locale.py"),
        "matplotlib/font_manager.py",
        "joblib/externals/loky/backend/context.py",
    }
)
PROGRAMS = frozenset(
    {
        *("uname", "file", "ldconfig", "gcc", "cc", "objdump", "ld", "ip", "ifconfig", "arp"),
        *("netstat", "lanscan", "locale", "fc-list", "lscpu", "sysctl"),
    }
)
# modules that reach into the interpreter or start another; the first is loaded before a submission
FOREIGN = frozenset(
    {
        *("_posixsubprocess", "_xxsubinterpreters", "_interpreters", "_interpchannels"),
        *("_interpqueues", "_testcapi", "_testinternalcapi", "_testlimitedcapi", "_ctypes_test"),
    }
)
# events of what reaches into memory
DOORS = (
    *("ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.call_function"),
    *("ctypes.cdata", "ctypes.cdata/buffer", "ctypes.string_at", "ctypes.addressof"),
)
# (file below its root, function) that reads where libraries are in memory, and tells their names:
# scikit-learn asks by it how many threads there are, for neighbours and clusters
LISTS_LIBRARIES = frozenset(
    {("threadpoolctl.py", "ThreadpoolController._find_libraries_with_linux")}
)
# root of a module → names that no model needs; None: the whole module
DENIED_PICKLES: Mapping[str, tuple[str, ...] | None] = {
    "builtins": (
        *("eval", "exec", "compile", "__import__", "open", "input", "breakpoint", "globals"),
        *("locals", "vars", "setattr", "delattr", "__build_class__"),
    ),
    **dict.fromkeys(
        (
            *("os", "posix", "nt", "subprocess", "_posixsubprocess", "sys", "importlib", "imp"),
            *("runpy", "code", "codeop", "marshal", "ctypes", "_ctypes", "gc", "inspect", "pdb"),
            *("bdb", "timeit", "cProfile", "profile", "trace", "pty", "shutil", "pkgutil"),
            *("zipimport", "_imp", "_frozen_importlib", "_frozen_importlib_external"),
        ),
    ),
    "types": ("CodeType", "FunctionType", "LambdaType", "ModuleType"),
}
