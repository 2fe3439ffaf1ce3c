# Celery's shared tasks bind to the app that exists when their module is imported.
from .celery import app as celery_app

__all__ = ["celery_app"]
__version__ = "0.1.0"
