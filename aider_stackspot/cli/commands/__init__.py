"""What each command takes, and what it says of itself: its options and its help.

What a command does stands in the module of its name in the folder above. A function here imports that when it runs, so
that a help text, or the shell's completion, loads nothing that only the work needs.
"""
