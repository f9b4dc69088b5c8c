"""`aider-stackspot docs`: the documentation of the version that is installed, without a network."""

from __future__ import annotations

from pathlib import Path

import click
import typer

from aider_stackspot.cli import drawing
from aider_stackspot.cli.terminal import output
from aider_stackspot.config.display import printable
from aider_stackspot.errors import ConfigurationError

_PACKAGE = Path(__file__).parents[1]
_FOLDERS = (_PACKAGE / "docs", _PACKAGE.parent / "docs")
"""In an installed package, and in a checkout of the repository."""


def show_page(page: str | None) -> None:
    """Print a page, or the list of pages."""
    pages = _pages()
    if page is None:
        width = max(map(len, pages), default=0)
        for name, path in pages.items():
            typer.echo(f"{name:<{width}}  {path.read_text(encoding='utf-8').splitlines()[0].lstrip('# ')}")
        return
    found = pages.get(page.removeprefix("docs/").removesuffix(".md"))
    if found is None:
        raise ConfigurationError(f"There is no page {printable(page)[:80]!r}. There are: {', '.join(pages)}.")
    text = found.read_text(encoding="utf-8")
    console = output()
    if not console.is_terminal:
        typer.echo(text, nl=False)
        return
    with console.capture() as drawn:
        console.print(drawing.Markdown(text))
    click.echo_via_pager(drawn.get())  # unlike rich's, it lets the usual pager show colours


def _pages() -> dict[str, Path]:
    folder = next((folder for folder in _FOLDERS if folder.is_dir()), None)
    return {} if folder is None else {path.stem: path for path in sorted(folder.glob("*.md"))}
