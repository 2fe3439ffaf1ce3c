from argparse import ArgumentParser
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from readerstudy.accounts.models import User
from readerstudy.audit.errors import Denied, Refused
from readerstudy.cases.models import CaseImport
from readerstudy.reference.actions import import_at_once
from readerstudy.studies.models import Study


class Command(BaseCommand):
    help = (
        "Import cases from a CSV manifest and a folder: a dry run first, then case by case; running it again goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("study", help="the study's token, as in its address")
        parser.add_argument("manifest", type=Path)
        parser.add_argument("--folder", type=Path, help="where the files lie; the manifest's own folder if not given")
        parser.add_argument("--dry-run", action="store_true", help="list the faults and import nothing")
        parser.add_argument(
            "--by", help="username of the coordinator in whose name it is done; the study's creator if not given"
        )

    def handle(
        self, *, study: str, manifest: Path, folder: Path | None, dry_run: bool, by: str | None, **options: object
    ) -> None:
        found = Study.objects.select_related("created_by").filter(token=study).first()
        if found is None:
            raise CommandError(f"There is no study {study}.")
        person = User.objects.filter(username=by).first() if by else found.created_by
        if person is None:
            raise CommandError(f"There is nobody called {by}.")
        try:
            content = manifest.read_bytes()
            result = import_at_once(
                study=found,
                manifest=content,
                folder=(folder or manifest.parent).resolve(),
                by=person,
                dry_run=dry_run,
            )
        except OSError as error:
            raise CommandError(f"{manifest} cannot be read: {error.strerror}.") from error
        except (Denied, Refused) as refused:
            raise CommandError(str(refused)) from refused
        self.tell(result, dry_run)

    def tell(self, result: CaseImport, dry_run: bool) -> None:
        for fault in result.faults:
            place = f"row {fault['row']}" + (f", column {fault['column']}" if fault["column"] else "")
            value = f" {fault['value']!r}" if fault["value"] else ""
            self.stderr.write(f"{place}{value}: {fault['sentence']}")
        if result.faults:
            raise CommandError(f"{len(result.faults)} faults; nothing was imported.")
        if result.phase == CaseImport.Phase.STOPPED:
            raise CommandError(f"Stopped after {result.cases_done} of {result.cases_total} cases: {result.message}")
        done = "can be imported" if dry_run else "are in the study"
        self.stdout.write(f"{result.cases_total} cases {done}. {result.message}".strip())
