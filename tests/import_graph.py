"""Reads what each module of a package reaches for: imports anywhere in it, names of modules in strings, the process.

Nothing is executed. Imports count wherever they stand: at the top, in a function, under `TYPE_CHECKING`. So does the
name of a module in a string, because `import_module` and the hooks of `autoload` make an import of it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENT = "the environment"
HOME = "the home directory"

_OF_OS = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}


@dataclass(frozen=True, order=True)
class Use:
    """One thing that a module reaches for: a module (dotted), `ENVIRONMENT` or `HOME`."""

    module: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.module}:{self.line} -> {self.target}"


class ImportGraph:
    """The modules of one package and what they reach for.

    Args:
        folder: the package's folder; modules are named from its name on.
    """

    def __init__(self, folder: Path) -> None:
        self.package = folder.name
        self._files = {_name(folder, path): path for path in sorted(folder.rglob("*.py"))}
        self.uses = sorted(set(self._read_all()))

    @property
    def modules(self) -> list[str]:
        """The names of all modules, packages too."""
        return list(self._files)

    def room(self, module: str) -> str:
        """Return the folder of a module, by its path below the package; a module at the top is a room of its own."""
        below = module.split(".")[1:]
        folder = below if self._is_folder(module) else below[:-1]
        return "/".join(folder or below)

    def arrows(self) -> Mapping[str, set[str]]:
        """Return for each module the modules of the package that it reaches for."""
        found: dict[str, set[str]] = {name: set() for name in self._files}
        for use in self.uses:
            if use.target in self._files and use.target != use.module:
                found[use.module].add(use.target)
        return found

    def _is_folder(self, module: str) -> bool:
        return self._files[module].name == "__init__.py"

    def _read_all(self) -> Iterator[Use]:
        for module, path in self._files.items():
            tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
            for node in ast.walk(tree):
                for target in self._targets(module, node):
                    yield Use(module, target, getattr(node, "lineno", 0))

    def _targets(self, module: str, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (self._known(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from self._imported_from(module, node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from self._named(module, node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from self._built(node)
        elif isinstance(node, ast.Call):
            yield from _called(node)
        elif isinstance(node, ast.Attribute):
            yield from _of_the_process(node)
        elif isinstance(node, ast.Compare | ast.Subscript):
            yield from _looked_up(node)

    def _imported_from(self, module: str, node: ast.ImportFrom) -> Iterator[str]:
        base = node.module or ""
        if node.level:
            package = module.split(".") if self._is_folder(module) else module.split(".")[:-1]
            base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
        for alias in node.names:
            if base == "os" and alias.name in _OF_OS:
                yield ENVIRONMENT
            yield self._known(f"{base}.{alias.name}")

    def _named(self, module: str, text: str) -> Iterator[str]:
        """Yield a string that is exactly a module's name; the package's own `__init__` names them from below it."""
        if text in self._files and text != self.package:
            yield text
        elif module == self.package and f"{self.package}.{text}" in self._files:
            yield f"{self.package}.{text}"

    def _built(self, node: ast.JoinedStr) -> Iterator[str]:
        """Yield whatever an f-string can mean that puts together the name of a module in a folder."""
        first = node.values[0] if node.values else None
        text = first.value if isinstance(first, ast.Constant) and isinstance(first.value, str) else ""
        if text.startswith(f"{self.package}.") and text.endswith("."):
            yield from (name for name in self._files if name.startswith(text) and "." not in name[len(text) :])

    def _known(self, name: str) -> str:
        """Return the module that a dotted name is in: `package.module.Class` is `package.module`."""
        if name.partition(".")[0] != self.package:
            return name
        if name == f"{self.package}.__version__":
            return f"{self.package}.__about__"
        while name not in self._files and "." in name:
            name = name.rpartition(".")[0]
        return name


def _name(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def _text(node: ast.AST | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _called(node: ast.Call) -> Iterator[str]:
    """Yield what `import_module("x")`, `__import__("x")` and `sys.modules.get("x")` reach for."""
    function = node.func
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    text = _text(node.args[0]) if node.args else None
    if text and (name in ("import_module", "__import__") or _is_sys_modules(getattr(function, "value", None))):
        yield text


def _looked_up(node: ast.Compare | ast.Subscript) -> Iterator[str]:
    """Yield what `sys.modules["x"]` and `"x" in sys.modules` reach for."""
    if isinstance(node, ast.Subscript):
        text, place = _text(node.slice), node.value
    else:
        text, place = _text(node.left), node.comparators[0]
    if text and _is_sys_modules(place):
        yield text


def _is_sys_modules(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "sys.modules"


def _of_the_process(node: ast.Attribute) -> Iterator[str]:
    holder = ast.unparse(node.value)
    if holder == "os" and node.attr in _OF_OS:
        yield ENVIRONMENT
    elif node.attr == "expanduser" or (node.attr == "home" and holder.endswith("Path")):
        yield HOME


def circles(arrows: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Return the groups of nodes that lead to each other, each sorted (Tarjan's strongly connected components)."""
    found: list[list[str]] = []
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for target in arrows.get(node, ()):
            if target not in index:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], index[target])
        if low[node] == index[node]:
            position = stack.index(node)
            group = stack[position:]
            del stack[position:]
            if len(group) > 1:
                found.append(sorted(group))

    for node in arrows:
        if node not in index:
            visit(node)
    return sorted(found)
