"""Real images of the specification folder through the public ways: a command, a page and its numbers each."""
