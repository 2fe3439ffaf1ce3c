import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.audit.chain import Fault, faults
from readerstudy.audit.models import Chain, Event
from readerstudy.audit.queries import all_faults


class Command(BaseCommand):
    help = "Check the hash chain of every study, or of an exported audit.jsonl without a database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("chains", nargs="*", help="tokens of studies, or 'site'; all where none is named")
        parser.add_argument("--file", type=Path, help="an exported audit.jsonl")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["file"]:
            found = list(faults_of_file(options["file"]))
            checked = str(options["file"])
        else:
            found = list(all_faults(options["chains"]))
            checked = f"{Event.objects.count()} events in {Chain.objects.count()} chains"
        for fault in found:
            self.stderr.write(f"{fault.chain}: {fault.sentence}")
        if found:
            raise CommandError(f"{len(found)} faults in {checked}.")
        self.stdout.write(self.style.SUCCESS(f"Unbroken: {checked}."))


def faults_of_file(path: Path) -> list[Fault]:
    try:
        lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]
        rows = [(line["event"]["number"], line["previous"], line["digest"], line["event"]) for line in lines]
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise CommandError(f"{path} cannot be read as an exported chain: {error}") from error
    return list(faults(str(path), rows))
