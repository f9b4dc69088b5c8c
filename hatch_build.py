"""The package's links on the index, made of the repository's place: `repository` in pyproject.toml, named once.

As long as that is empty, as in a repository that is not published yet, the package has no links, and none that lead
nowhere. README's links lead to files beside it, which an index does not have: there they lead to the repository.
"""

import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Links(MetadataHookInterface):
    """Fills in `project.urls` and `project.readme`."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the links to the package's metadata.

        Raises:
            ValueError: the place is no web address.
        """
        place = str(self.config.get("repository", "")).rstrip("/")
        if place and not place.startswith("https://"):
            raise ValueError(f"pyproject.toml: `repository` must begin with https://, not be {place!r}")
        pages = {
            "Homepage": "",
            "Documentation": "/tree/main/docs",
            "Changelog": "/blob/main/CHANGELOG.md",
            "Issues": "/issues",
            "Security": "/blob/main/SECURITY.md",
        }
        readme = Path(self.root, "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": _with_links(readme, place)}
        metadata["urls"] = {label: place + page for label, page in pages.items()} if place else {}


def _with_links(text: str, place: str) -> str:
    """Return a page whose links and pictures lead to the repository; without a place it has none of them."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found.groups()
        if not place:
            return "" if picture else words
        return f"{picture}[{words}]({place}/{'raw' if picture else 'blob'}/main/{target})"

    return re.sub(r"(!?)\[([^]]*)\]\((?!https?:|#)([^)]+)\)", link, text)
