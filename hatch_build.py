"""The package's links on the index, made of the repository's place: `repository` in pyproject.toml, named once.

As long as that is empty, as in a repository that is not published yet, the package has no links, and none that lead
nowhere.
"""

from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Links(MetadataHookInterface):
    """Fills in `project.urls`."""

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
        metadata["urls"] = {label: place + page for label, page in pages.items()} if place else {}
