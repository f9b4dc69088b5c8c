"""aider: its registries, its settings and its screen. The only room that touches aider's modules."""
