"""The commands of ``python -m inference``, one a module: ``add_arguments(command)`` and ``run(options)``."""
