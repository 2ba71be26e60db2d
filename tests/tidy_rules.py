"""The rules of the house as functions from a source file to what breaks them; `test_tidy.py` applies them to all files.

A rule judges one `Source` and knows nothing of the disk, so each can be shown to fail on a made-up file. What is
project policy (the order of the modules, the reasoned exceptions) is handed in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property


@dataclass(frozen=True)
class Violation:
    """One place that breaks a rule: where, which rule, and what it should have gone through instead."""

    path: str
    line: int
    rule: str
    instead: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}; {self.instead}"


@dataclass(frozen=True)
class Import:
    """One import, absolute: `from a.b import c` has module `a.b`, name `a.b.c`; `import a.b` has `a.b` for both.

    `local` is the name that it binds in the file, and `meaning` what that name stands for.
    """

    line: int
    module: str
    name: str
    local: str
    meaning: str


@dataclass(frozen=True)
class Source:
    """A Python file: its path relative to the repository, with forward slashes, and its text."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, self.path)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node, functions and `if TYPE_CHECKING` included: a lazy import is an import."""
        return tuple(ast.walk(self.tree))

    @cached_property
    def module(self) -> str:
        """The dotted name it is imported by: the path after its source root, `racewindow` for the package itself."""
        parts = self.path.removesuffix(".py").split("/")[1:]
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def imports(self) -> tuple[Import, ...]:
        """All imports, relative ones resolved."""
        return tuple(self._imports())

    def _imports(self) -> Iterator[Import]:
        package = self.module if self.path.endswith("__init__.py") else self.module.rpartition(".")[0]
        for node in self.nodes:
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    local, meaning = (alias.asname, alias.name) if alias.asname else (top, top)
                    yield Import(node.lineno, alias.name, alias.name, local, meaning)
            elif isinstance(node, ast.ImportFrom):
                base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
                module = ".".join([*base, *filter(None, [node.module])])
                for alias in node.names:
                    name = f"{module}.{alias.name}"
                    yield Import(node.lineno, module, name, alias.asname or alias.name, name)

    @cached_property
    def used(self) -> frozenset[tuple[int, str]]:
        """The line and full name of all that is imported, and of each use of it.

        After `import trio as t`, the use `t.lowlevel.x` counts as `trio.lowlevel.x`.
        """
        meaning = {item.local: item.meaning for item in self.imports}
        found = {(item.line, item.name) for item in self.imports}
        for node in self.nodes:
            chain: list[str] = []
            at = node
            while isinstance(at, ast.Attribute):
                chain.append(at.attr)
                at = at.value
            if isinstance(at, ast.Name) and at.id in meaning:
                found.add((at.lineno, ".".join([meaning[at.id], *reversed(chain)])))
        return frozenset(found)


def within(name: str, package: str) -> bool:
    """Whether the dotted `name` is `package` or something in it."""
    return name == package or name.startswith(f"{package}.")


# --- who may import whom -------------------------------------------------------------------------------------------

LAYERS = {
    "harness": ("racewindow_faults", "racewindow_models", "tests"),
    "faults": ("racewindow_models", "tests"),
    "models": ("tests",),
}
"""Source root -> packages that it must not know."""

_INSTEAD = {
    "harness": "find it by entry point, or by the module:name that the user gives (racewindow/target.py)",
    "faults": "a fault names no service; let the scenario put the two together (racewindow_models/scenarios/)",
    "models": "move what both need into the package",
}
_DYNAMIC_IMPORTS = ("import_module", "__import__", "find_spec", "resolve_name")


def layers(source: Source) -> Iterator[Violation]:
    """No layer imports one above it: not in a function, not for types only, not by a name in a string."""
    root = source.path.partition("/")[0]
    named = [(i.line, i.name) for i in source.imports]
    for node in source.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in _DYNAMIC_IMPORTS:
            named += [(a.lineno, str(a.value)) for a in node.args if isinstance(a, ast.Constant)]
    for line, name in named:
        for package in LAYERS.get(root, ()):
            if within(re.split(r"[^\w.]", name)[0], package):
                yield Violation(source.path, line, f"{root}/ must not import {package}", _INSTEAD[root])


def public_names_only(source: Source, public: frozenset[str]) -> Iterator[Violation]:
    """Faults and models use of the harness what `racewindow.__all__` lists, and nothing else."""
    if source.path.startswith("harness/"):
        return
    names = {(line, name.split(".")[1]) for line, name in source.used if name.startswith("racewindow.")}
    for line, name in sorted(names):
        if name not in public:
            instead = "use a public name, or make it one in harness/racewindow/__init__.py"
            yield Violation(source.path, line, f"racewindow.{name} is not in racewindow.__all__", instead)


def level(module: str, order: Sequence[str]) -> int | None:
    """The place of a module of the harness (without the leading `racewindow.`) in the order, None if it has none."""
    return next((n for n, pattern in enumerate(order) if fnmatchcase(module, pattern)), None)


def one_way(
    source: Source, order: Sequence[str], modules: Container[str], forbidden: Mapping[tuple[str, str], str]
) -> Iterator[Violation]:
    """Inside the harness a file imports only files before it in `order`, or beside it under the same pattern.

    `modules` are the modules that exist, by full name. `forbidden` adds pairs of patterns (importer, imported) with the
    reason, for what the order alone would allow.
    """
    own = source.module.removeprefix("racewindow").removeprefix(".")
    if not source.path.startswith("harness/") or not own:
        return  # the package itself lists what it exports, from anywhere
    place = "place it in ORDER of tests/test_tidy.py"
    own_level = level(own, order)
    if own_level is None:
        yield Violation(source.path, 1, f"the module {own} has no place in the order", place)
        return
    for item in source.imports:
        target = item.name if item.name in modules else item.module
        if not within(target, "racewindow"):
            continue
        other = target.removeprefix("racewindow").removeprefix(".")
        other_level = level(other, order)
        if not other:
            instead = "import from the file that defines the name"
            yield Violation(source.path, item.line, f"{own} imports the package that lists it", instead)
        elif other_level is None:
            yield Violation(source.path, item.line, f"{own} imports {other}, which has no place in the order", place)
        elif other_level > own_level:
            rule = f"{own} imports {other}, which comes after it in the order"
            yield Violation(source.path, item.line, rule, "hand it in, or move what both need further up")
        for (importer, imported), reason in forbidden.items():
            if fnmatchcase(own, importer) and fnmatchcase(other, imported):
                yield Violation(source.path, item.line, f"{own} must not import {other}", reason)


# --- what only one file may touch ----------------------------------------------------------------------------------


def trio_private(source: Source, allowed: str) -> Iterator[Violation]:
    """Private names of trio are used in one file, which knows the supported range."""
    if source.path == allowed:
        return
    for line, name in sorted(source.used):
        private = any(part.startswith("_") and not part.endswith("__") for part in name.split("."))
        if private and within(name, "trio"):
            yield Violation(source.path, line, f"{name} is private to trio", f"go through {allowed}")


def homes(source: Source, allowed: Mapping[str, str]) -> Iterator[Violation]:
    """A library is imported only in the files that match its pattern."""
    for item in source.imports:
        pattern = allowed.get(item.name.partition(".")[0])
        if pattern is not None and not fnmatchcase(source.path, pattern):
            library = item.name.partition(".")[0]
            yield Violation(source.path, item.line, f"{library} is imported outside {pattern}", f"go through {pattern}")


_UNREPEATABLE = ("time", "random", "uuid", "secrets")
_UNREPEATABLE_NAMES = frozenset({
    "id", "hash", "os.urandom", "random.SystemRandom",
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
})  # fmt: skip


def unrepeatable(source: Source, allowed: Mapping[tuple[str, str], str]) -> Iterator[Violation]:
    """Nothing that differs from run to run is used: clocks, global randomness, addresses, salted hashes.

    Classes are fine (`random.Random(seed)`, `uuid.UUID`); module functions are not. `allowed` maps (path pattern, name
    pattern) to the reason why it is harmless there.
    """
    own_names = {node.arg for node in source.nodes if isinstance(node, ast.arg)}
    # A value's own __hash__ is fine: it says which values are equal, and gives nobody an order.
    excused = {
        inner
        for node in source.nodes
        if isinstance(node, ast.FunctionDef) and node.name == "__hash__"
        for inner in ast.walk(node)
    }
    names = [node for node in source.nodes if isinstance(node, ast.Name) and node not in excused]
    own_names |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    builtin = {(node.lineno, node.id) for node in names if node.id not in own_names}
    for line, name in sorted(source.used | builtin):
        module, _, function = name.rpartition(".")
        forbidden = name in _UNREPEATABLE_NAMES or (module in _UNREPEATABLE and not function[0].isupper())
        if forbidden and not any(fnmatchcase(source.path, p) and fnmatchcase(name, n) for p, n in allowed):
            instead = "use virtual time, a random.Random that was passed in, or a stable name"
            yield Violation(source.path, line, f"{name} differs from run to run", instead)


# --- size, and what no file may say --------------------------------------------------------------------------------

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60


def _length(node: ast.stmt) -> int:
    assert node.end_lineno is not None, "ast.parse gives every statement its end"
    return node.end_lineno - node.lineno + 1


def size(source: Source, allowed: Mapping[tuple[str, str], tuple[int, str]]) -> Iterator[Violation]:
    """Files and functions stay small enough to be read in one go.

    A function is measured without its docstring: a full contract must not cost it room. `allowed` maps (path, function)
    to its own limit and the reason; the function is "" for the whole file.
    """
    lines = source.text.count("\n")
    limit, _ = allowed.get((source.path, ""), (FILE_LINES_MAX, ""))
    if lines > limit:
        yield Violation(source.path, limit + 1, f"{lines} lines, {limit} allowed", "which idea should leave the file?")
    for node in source.nodes:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        lines = _length(node) - (_length(node.body[0]) if ast.get_docstring(node) is not None else 0)
        limit, _ = allowed.get((source.path, node.name), (FUNCTION_LINES_MAX, ""))
        if lines > limit:
            rule = f"{node.name}() has {lines} lines without its docstring, {limit} allowed"
            yield Violation(source.path, node.lineno, rule, "which part of it has a name of its own?")


# Put together from pieces, so that this file may stand in the repository that it guards.
_FOLDERS = ("ro" + r"ot\b", "ho" + "me/", "wo" + "rk/", "Us" + "ers/")
_MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:" + "|".join(_FOLDERS) + ")")
_REGISTRY_NAMES = ("py" + "pi", "pythonho" + "sted", "npm" + "js", "yarn" + "pkg", "cra" + "tes", "anacon" + "da")
_REGISTRY_HOST = re.compile(r"\b(?:" + "|".join(_REGISTRY_NAMES) + r")\.(?:python\.)?(?:org|com|io)\b")


def machine_names(path: str, text: str) -> Iterator[Violation]:
    """No file names a folder of one machine or the host of a package registry; lock files least of all."""
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _MACHINE_PATH.search(line):
            rule = f"{found[0]} is a path of one machine"
            yield Violation(path, number, rule, "use a path relative to the file or the project")
        if found := _REGISTRY_HOST.search(line):
            rule = f"{found[0]} is the host of a package registry"
            yield Violation(path, number, rule, "name the package, not where it comes from")


_SHARED_PATH = re.compile(r"(^|/)\.\./(.*/)?sh" + r"ared(/|$)")


def stays_inside(source: Source) -> Iterator[Violation]:
    """Tests read nothing from the folder beside the repository: a clone of it does not have one."""
    for node in source.nodes:
        joined: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            joined = [node.right]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in {"joinpath", "join", "Path"}:
            joined = node.args
        parts = [a for a in joined if isinstance(a, ast.Constant) and str(a.value).split("/")[0] == "sh" + "ared"]
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _SHARED_PATH.search(node.value):
            parts.append(node)
        for part in parts:
            yield Violation(source.path, part.lineno, f"reads {part.value!r}", "copy what the test needs into tests/")
