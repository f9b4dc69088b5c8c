"""Match the regular expressions of a client's schema in linear time.

A schema comes from outside, and `re` can be kept busy for years by one short pattern. pydantic brings Rust's regex
engine, which cannot. It has no look-around and no back-references: a pattern it does not know is not checked.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Annotated, Any

from pydantic import StringConstraints, TypeAdapter, ValidationError
from pydantic_core import SchemaError


@lru_cache(maxsize=256)
def matcher(pattern: str) -> Callable[[str], bool]:
    """A function that says whether `pattern` occurs in a string; it always says yes to a pattern it cannot read."""
    try:
        adapter: TypeAdapter[Any] = TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])
    except SchemaError:
        return lambda text: True

    def matches(text: str) -> bool:
        try:
            adapter.validate_python(text)
        except ValidationError:
            return False
        return True

    return matches
