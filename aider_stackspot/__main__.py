"""`python -m aider_stackspot`: the command, where its script is not on the path."""

from aider_stackspot.cli import main

if __name__ == "__main__":
    main()
