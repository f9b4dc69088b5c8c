"""How this process was started: remembered before a program can change it.

aider loads a project's `.env` into the environment, so what stands there later need not be the user's word.
"""

import os

environment_at_start = dict(os.environ)
