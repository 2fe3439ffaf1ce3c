from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.audit.errors import Refused
from readerstudy.dashboard.demonstration import load


class Command(BaseCommand):
    help = "Load the demonstration, two studies on synthetic radiographs. Needs running workers; twice is harmless."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--password", default="", help="of alice, bob, rita, tess and stan")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "var" / "demo", help="for the films")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["password"]:
            raise CommandError("Give --password, with which alice, bob, rita, tess and stan will log in.")
        options["folder"].mkdir(parents=True, exist_ok=True)
        try:
            load(
                folder=options["folder"],
                password=options["password"],
                tell=lambda sentence: self.stdout.write(f"  {sentence}"),
            )
        except Refused as refused:
            raise CommandError(str(refused)) from refused
