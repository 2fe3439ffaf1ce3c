"""Models as TOML files: `studies` has those of the five published systems, read by `models.registry.load`."""
