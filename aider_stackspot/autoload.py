"""What the `.pth` file runs at every start of Python: it must cost next to nothing and import next to nothing.

It lets the environment of the start be remembered, and waits for `litellm` and parts of aider to be imported. The rest
happens then, in the modules that `_HOOKS` names.

Whether `AIDER_STACKSPOT_AUTOLOAD` is off is decided in the `.pth` file itself, before anything of this package may be
imported, from the environment alone. Where a `.env` file says so, the hooks find out and do nothing.
"""

import sys

import aider_stackspot.process_start  # noqa: F401  # remembers the environment

_HOOKS = {
    "litellm": "aider_stackspot.hosts.litellm.registration",
    "aider.main": "aider_stackspot.hosts.aider.main",
    "aider.gui": "aider_stackspot.hosts.aider.main",
    "aider.models": "aider_stackspot.hosts.aider.models",
    "aider.coders.base_coder": "aider_stackspot.hosts.aider.answers",
}


class _ImportWatcher:
    """A meta path finder that finds nothing itself, and lets a hook run after the watched modules."""

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        """Return the spec that the other finders have for a watched module, with its loader wrapped."""
        if name not in _HOOKS:
            return None
        for finder in sys.meta_path:
            spec = None
            if not isinstance(finder, _ImportWatcher):
                spec = finder.find_spec(name, path, target)  # type: ignore[arg-type]  # their types would be imports
            if spec is not None:
                _run_after(spec.loader, _HOOKS[name])
                return spec
        return None


def _run_after(loader: object, hook: str) -> None:
    """Let the hook run after the module. The loader stays: importlib.resources asks it for the package's files."""
    exec_module = getattr(loader, "exec_module", None)
    if exec_module is None:
        return

    def exec_module_then_hook(module: object) -> None:
        exec_module(module)
        try:
            __import__(hook)
            sys.modules[hook].on_import(module)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a SystemExit of a half-installed package must not end somebody's program
            print(f"aider-stackspot: {hook} failed and is off: {type(error).__name__}: {error}", file=sys.stderr)

    loader.exec_module = exec_module_then_hook  # type: ignore[attr-defined]  # it has one, see above


def install() -> None:
    """Watch for the imports, once."""
    if not any(isinstance(finder, _ImportWatcher) for finder in sys.meta_path):
        sys.meta_path.insert(0, _ImportWatcher())  # type: ignore[arg-type]  # its types would be imports
