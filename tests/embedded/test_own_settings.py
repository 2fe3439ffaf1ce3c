"""Every process of the tests reads settings of its own, also beside others."""

import os

from django.conf import settings


def test_settings_are_those_of_this_process() -> None:
    assert os.environ["BROKER_URL"] == settings.CELERY_BROKER_URL
    assert os.environ["STORAGE_URL"] == f"file://{settings.STORAGES['default']['OPTIONS']['location']}"
