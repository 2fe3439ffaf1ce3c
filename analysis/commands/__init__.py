"""The commands of `python -m analysis`, one module each: its words, and what it answers."""
