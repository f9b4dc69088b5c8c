"""The version, read by the build and by `aider_stackspot.__version__`."""

__version__ = "0.2.0"
