"""Names of a package that are loaded when they are first used."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def attributes(module: str, homes: "dict[str, str]", within: str = "") -> "Callable[[str], object]":
    """Return a `__getattr__` for a package, or for a module that stands for another package.

    It imports nothing by itself: this runs at every start of Python.

    Args:
        module: its `__name__`.
        homes: the module below the package, by the name that it defines.
        within: the other package, where it stands for one.
    """

    def __getattr__(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"{within or module}.{homes[name]}"), name)
        setattr(import_module(module), name, value)
        return value

    return __getattr__
