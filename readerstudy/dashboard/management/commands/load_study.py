from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from readerstudy.audit.errors import Refused
from readerstudy.dashboard.published import PRESETS, PUBLISHED, load


class Command(BaseCommand):
    help = (
        "Load one of the five published systems as a study. Needs the settings of the site and running workers; for a "
        "demo that runs on this machine `make load-s1` knows both. Twice is harmless."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help=", ".join(key.upper() for key in PUBLISHED))
        parser.add_argument("--password", default="", help="of alice, bob, rita, tess and stan")
        parser.add_argument("--preset", default="small", choices=PRESETS, help="full has the published sizes")
        parser.add_argument("--folder", type=Path, help="of `python -m inference study`; by default var/studies/…")
        parser.add_argument("--address", default="", help="of the site, such as https://studies.example.org")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["password"]:
            raise CommandError("Give --password, with which alice, bob, rita, tess and stan will log in.")
        name = f"{options['study'].lower()}-{options['preset']}"
        folder = options["folder"] or settings.BASE_DIR / "var" / "studies" / name
        try:
            study = load(
                key=options["study"],
                folder=folder,
                preset=options["preset"],
                password=options["password"],
                tell=self.say,
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(f"{study.title}: {options['address']}{reverse('dashboard:overview', args=[study.token])}")

    def say(self, sentence: str) -> None:
        self.stdout.write(f"  {sentence}")
        # At once also into a pipe or a file: the next sentence may take minutes.
        self.stdout.flush()
