from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied, Refused
from readerstudy.reading import actions
from readerstudy.reading.external import Source
from readerstudy.reading.sources import judged
from readerstudy.studies.models import Enrolment, Study


class Command(BaseCommand):
    help = "Import readers' answers from a CSV (reader, seniority, arm, case, rating, decision, seconds) into a study."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="token of the study")
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=NAME", help='e.g. reader="Reader ID"'
        )
        parser.add_argument("--constant", action="append", default=[], metavar="FIELD=VALUE", help="e.g. arm=unaided")
        parser.add_argument(
            "--seniority", action="append", default=[], metavar="WORD=SENIORITY", help="e.g. resident=junior"
        )
        parser.add_argument("--with-cases", action="store_true", help="add cases the study lacks, with their truth")
        parser.add_argument("--simulated", action="store_true", help="the readers are simulated")
        parser.add_argument("--dry-run", action="store_true", help="only list the faults")
        parser.add_argument("--by", help="user name of the coordinator; the study's first where it is not given")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(token=options["study"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['study']}.")
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        source = Source(pairs(options["column"]), pairs(options["constant"]), pairs(options["seniority"]))
        found = judged(study, content, source, new_cases=options["with_cases"])
        for fault in found.faults:
            self.stderr.write(f"row {fault.row}, column {fault.column or '–'}: {fault.sentence}")
        if found.faults:
            raise CommandError(f"{len(found.faults)} faults; nothing was imported.")
        told = f"{len(found.rows)} readings of {len(found.readers)} readers over {found.cases} cases"
        if options["dry_run"]:
            self.stdout.write(f"No faults: {told} can be imported.")
            return
        try:
            actions.import_readings(
                study=study,
                content=content,
                name=options["file"].name,
                source=source,
                by=coordinator(study, options["by"]),
                new_cases=options["with_cases"],
                simulated=options["simulated"],
            )
        except (Refused, Denied) as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(self.style.SUCCESS(f"Imported {told}."))


def pairs(words: list[str]) -> dict[str, str]:
    for word in words:
        if "=" not in word:
            raise CommandError(f"“{word}” must look like FIELD=NAME.")
    return dict(word.split("=", 1) for word in words)


def coordinator(study: Study, username: str | None) -> User:
    rows = Enrolment.objects.filter(study=study, role=Enrolment.Role.COORDINATOR, active=True).select_related("user")
    row = (rows.filter(user__username=username) if username else rows).order_by("pk").first()
    if row is None or row.user is None:
        raise CommandError(f"{username or 'Nobody'} coordinates this study.")
    return row.user
