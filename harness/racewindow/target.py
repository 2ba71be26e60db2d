"""From what a person types to a scenario: an installed name, `plan.toml`, `file.py[:function]` or `package:function`.

Whatever goes wrong on the way (no such name, a file that does not parse, an import that fails) is one message that
names the file, the line and the nearest name that exists; none of it is a traceback.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import sys
import sysconfig
import traceback
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from racewindow.errors import InputError, RacewindowError, UsageError, unknown_name
from racewindow.plain import scrub
from racewindow.plans import SUFFIX, load_plan
from racewindow.scenarios import Scenario, as_scenario

GROUP = "racewindow.scenarios"
"""The entry-point group under which a package lists its scenarios."""
ALIASES = "racewindow.aliases"
"""The one under which it lists other names of them, such as those of a catalogue."""
_SPARE_NAME = "scenario_file_"


@dataclass(frozen=True, slots=True)
class Listed:
    """One entry of `racewindow list`: an installed scenario, or why it cannot be loaded.

    `origin`: its distribution. `aliases`: what else it is called.
    """

    name: str
    origin: str
    scenario: Scenario | None = None
    problem: str = ""
    aliases: tuple[str, ...] = ()


def resolve(text: str) -> tuple[Scenario, str]:
    """The scenario that `text` names, and the full form of the name: `mine.py` becomes `mine.py:restart`.

    An alias becomes the name that it stands for.

    Raises UsageError for a name that does not exist, InputError for a file or module that cannot be loaded.
    """
    path, colon, function = text.rpartition(":")
    if text.endswith(SUFFIX):
        return load_plan(text).scenario, text
    if text.endswith(".py"):
        return _from_file(text, "")
    if colon and path.endswith(".py"):
        return _from_file(path, function)
    if colon:
        return _from_module(path, function)
    name = _aliases().get(text, text)
    return _installed(name), name


def list_scenarios() -> list[Listed]:
    """Every installed scenario by name; one that cannot be loaded says so and does not hide the others."""
    found = []
    aliases = _aliases()
    for entry in _entries():
        called = tuple(alias for alias, name in aliases.items() if name == entry.name)
        try:
            found.append(Listed(entry.name, _origin(entry), scenario=_load(entry), aliases=called))
        except RacewindowError as error:
            found.append(Listed(entry.name, _origin(entry), problem=error.why or error.what, aliases=called))
    return found


# --- installed names -------------------------------------------------------------------------------------------------


def _entries() -> list[metadata.EntryPoint]:
    # The same distribution can be found twice, by way of an editable install and of the current folder.
    unique = {(entry.name, entry.value): entry for entry in metadata.entry_points(group=GROUP)}
    return [unique[key] for key in sorted(unique)]


def _aliases() -> dict[str, str]:
    """Other names of installed scenarios, each with the name under which the same object is listed."""
    names = {entry.value: entry.name for entry in _entries()}
    others = sorted((entry.name, entry.value) for entry in metadata.entry_points(group=ALIASES))
    return {alias: names[value] for alias, value in others if value in names}


def _origin(entry: metadata.EntryPoint) -> str:
    return "" if entry.dist is None else str(entry.dist.name)


def _installed(name: str) -> Scenario:
    entries = _entries()
    found = [entry for entry in entries if entry.name == name]
    if not found:
        raise _no_such_name(name, {entry.name for entry in entries})
    if len(found) > 1:
        raise UsageError(
            f"{len(found)} installed scenarios are called {name!r}.",
            do=f"use the full name: {' or '.join(entry.value for entry in found)}",
        )
    return _load(found[0])


def _no_such_name(name: str, known: set[str]) -> UsageError:
    error = unknown_name("scenario", name, known)
    if name.endswith(".json"):
        error = UsageError(f"{name} is not a scenario.", do=f"if it is a recorded failure: racewindow replay {name}")
    elif Path(f"{name}.py").is_file():
        error = UsageError(error.what, do=f"for the file of that name: {name}.py")
    elif "." in name or "/" in name:
        why = "a name without ':function' is looked up among the installed scenarios."
        error = UsageError(error.what, why=why, do="name your own as file.py:function or package.module:function.")
    return error


def _load(entry: metadata.EntryPoint) -> Scenario:
    what = f"the scenario {entry.name!r} of the package {_origin(entry) or 'that lists it'} cannot be loaded."
    try:
        found = entry.load()
    except Exception as error:  # noqa: BLE001  # whatever a module of somebody else's raises when it is imported
        raise InputError(what, why=_reason(error, None), do="reinstall or update that package.") from None
    try:
        return as_scenario(found)
    except UsageError as error:
        raise InputError(what, why=error.what, do="reinstall or update that package.") from None


# --- files and modules -----------------------------------------------------------------------------------------------


def _from_file(path_text: str, function: str) -> tuple[Scenario, str]:
    path = Path(path_text)
    if path.is_dir():
        raise InputError(f"{path_text} is a folder, not a Python file.", do="name a file in it.")
    if not path.is_file():
        raise InputError(f"{path_text} does not exist.", do=_near_files(path))
    module = _run_file(path, path_text)
    scenario, name = _pick(module, function, path_text)
    return scenario, f"{path_text}:{name}"


def _from_module(module_name: str, function: str) -> tuple[Scenario, str]:
    if not all(part.isidentifier() for part in module_name.split(".")):
        raise UsageError(
            f"{module_name!r} is neither a file nor a module.",
            do="name a scenario as file.py:function or package.module:function.",
        )
    here = str(Path.cwd())
    if here not in sys.path and "" not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if module_name == missing or module_name.startswith(f"{missing}."):
            raise InputError(
                f"there is no module {module_name!r}.",
                why=f"{missing!r} is neither installed nor in the current folder.",
                do=f"check its name, or start in the folder that holds {missing.partition('.')[0]!r}.",
            ) from None
        raise _broken(module_name, error, None) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever the module raises when it is imported
        raise _broken(module_name, error, None) from None
    scenario, name = _pick(module, function, module_name)
    return scenario, f"{module_name}:{name}"


def _run_file(path: Path, shown: str) -> ModuleType:
    """The module in a file, run anew, with its folder on the path as `python file.py` has it.

    It is compiled here and not by the import system, which might answer with the byte code of what the file was a
    moment ago. Its name is its stem, the same on every machine, unless something else has that name.
    """
    path = path.absolute()
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    name = _module_name(path)
    module = ModuleType(name)
    module.__file__ = str(path)
    module.__spec__ = ModuleSpec(name, None, origin=str(path))
    code = _compile(path, shown)
    before = sys.modules.get(name)
    sys.modules[name] = module  # dataclasses and pickle look it up there
    try:
        exec(code, module.__dict__)  # noqa: S102  # to run this file is what the user asked for
    except (Exception, SystemExit) as error:  # noqa: BLE001  # whatever it raises
        if before is None:
            del sys.modules[name]
        else:
            sys.modules[name] = before
        raise _broken(shown, error, path) from None
    return module


def _compile(path: Path, shown: str) -> CodeType:
    try:
        source: str | None = importlib.util.decode_source(path.read_bytes())
    except OSError as error:
        why = f"{error.strerror or error}."
        raise InputError(f"{shown} cannot be read.", why=why, do="check who may read the file.") from None
    except (UnicodeDecodeError, SyntaxError):  # the latter for an encoding that it declares and nobody knows
        source = None
    if source is None or "\0" in source:
        why = "it is not text, or not in the encoding that it declares (UTF-8 if it declares none)."
        raise InputError(f"{shown} cannot be loaded.", why=why, do="name a Python source file.")
    try:
        return compile(source, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _broken(shown, error, path) from None


def _module_name(path: Path) -> str:
    stem = "".join(c if c.isalnum() else "_" for c in path.stem)
    if stem in sys.stdlib_module_names or not stem.isidentifier():
        return _SPARE_NAME + stem
    loaded = sys.modules.get(stem)
    taken = loaded is not None and getattr(loaded, "__file__", None) != str(path)
    return _SPARE_NAME + stem if taken else stem


def _near_files(path: Path) -> str:
    try:
        siblings = [each.name for each in sorted(path.parent.glob("*.py"))]
    except OSError:
        siblings = []
    near = difflib.get_close_matches(path.name, siblings, n=3)
    if near:
        return f"did you mean {' or '.join(str(path.with_name(name)) for name in near)}?"
    return "check the path; it is looked up from the current folder."


# --- the function in a module ----------------------------------------------------------------------------------------


def _pick(module: ModuleType, function: str, shown: str) -> tuple[Scenario, str]:
    """The scenario and the name under which it was found; without `function`, the only one that the module defines."""
    own = _candidates(module)
    if not function:
        return _only(module, own, shown)
    found = getattr(module, function, None)
    if found is None:
        by_name = {value.name: name for name, value in vars(module).items() if isinstance(value, Scenario)}
        if function not in by_name:
            raise unknown_name(f"scenario or async function in {shown}", function, {*own, *by_name})
        function = by_name[function]
        found = getattr(module, function)
    if not isinstance(found, Scenario) and not _is_async(found):
        raise UsageError(
            f"{function!r} in {shown} is not an async function.",
            why=f"it is {_article(type(found).__name__)}; a scenario is an `async def` function.",
            do=f"use one of: {', '.join(own)}." if own else "name an `async def` function.",
        )
    return as_scenario(found), function


def _only(module: ModuleType, own: list[str], shown: str) -> tuple[Scenario, str]:
    if not own:
        raise UsageError(
            f"{shown} has no scenario.",
            why="no public async function is defined in it.",
            do="write one: `async def my_scenario() -> None: ...`",
        )
    if len(own) > 1:
        raise UsageError(
            f"{shown} has {len(own)} scenarios: {', '.join(own)}.", do=f"name one of them, as in {shown}:{own[0]}"
        )
    return as_scenario(getattr(module, own[0])), own[0]


def _candidates(module: ModuleType) -> list[str]:
    """The names of the scenarios that the module defines; if it declares none, of its public async functions."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    scenarios = [name for name, value in public.items() if isinstance(value, Scenario) and _defined_in(module, value)]
    return scenarios or [name for name, value in public.items() if _is_async(value) and _defined_in(module, value)]


def _defined_in(module: ModuleType, value: Any) -> bool:
    function = value.function if isinstance(value, Scenario) else value
    return getattr(function, "__module__", None) == module.__name__


def _is_async(value: Any) -> bool:
    while hasattr(value, "func"):  # functools.partial
        value = value.func
    return not isinstance(value, type) and (
        inspect.iscoroutinefunction(value) or inspect.iscoroutinefunction(getattr(value, "__call__", None))  # noqa: B004
    )


def _article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


# --- what went wrong in somebody's module ----------------------------------------------------------------------------


def _broken(shown: str, error: BaseException, path: Path | None) -> InputError:
    if isinstance(error, SystemExit):
        do = "put what ends the program under `if __name__ == '__main__':`."
    elif isinstance(error, ModuleNotFoundError):
        do = f"install {error.name!r} beside racewindow, or start in the folder that holds it."
    elif isinstance(error, RacewindowError) and error.do:
        do = error.do
    else:
        do = "mend it; nothing has been run."
    return InputError(f"{shown} cannot be loaded.", why=_reason(error, path), do=do)


def _reason(error: BaseException, path: Path | None) -> str:
    """Where and why an import failed: the last line of the user's own that was reached, and the exception."""
    if isinstance(error, SyntaxError):
        name = Path(error.filename).name if error.filename else "the file"
        code = f"\n       {error.text.strip()}" if error.text and error.text.strip() else ""
        return f"{name}, line {error.lineno}: {error.msg}.{code}"
    told = error.what if isinstance(error, RacewindowError) else f"{type(error).__name__}: {scrub(str(error)).strip()}"
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if _is_own(frame.filename, path)]
    return f"{Path(own[-1].filename).name}, line {own[-1].lineno}: {told}" if own else told


def _is_own(filename: str, path: Path | None) -> bool:
    """Whether a frame is worth naming: in the folder of the file, or at least in no library of Python's."""
    if path is not None:
        return Path(filename).is_relative_to(path.parent)
    of_python = filename.startswith(("<frozen", sysconfig.get_path("stdlib"))) and "site-packages" not in filename
    return not of_python and filename != __file__
