"""Looks at an installation step by step, from the versions to a one-word chat, and says what to do where one fails.

Everything it says may be pasted into a ticket: `report` masks every text before it goes out.
"""
