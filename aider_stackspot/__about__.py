"""The version, read by the build and by `aider_stackspot.__version__`."""

__version__ = "0.1.0"
