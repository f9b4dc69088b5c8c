"""Names of a package that are loaded when they are first used."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def attributes(package: str, homes: "dict[str, str]") -> "Callable[[str], object]":
    """Return a `__getattr__` for a package.

    It imports nothing by itself: this runs at every start of Python.

    Args:
        package: the package's `__name__`.
        homes: the module below the package, by the name that it defines.
    """

    def __getattr__(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"{package}.{homes[name]}"), name)
        setattr(import_module(package), name, value)
        return value

    return __getattr__
