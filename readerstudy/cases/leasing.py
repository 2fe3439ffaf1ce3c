"""Who works on an import holds its lease; silence gives it to another."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from .models import CaseImport


class Interrupted(Exception):
    """The lease went to somebody else, or the import was dropped meanwhile."""


@dataclass
class Lease:
    """Renewed while the work goes on; lost when somebody else took the row."""

    row: CaseImport
    renew_at: datetime | None = None
    told: int = 0

    def beat(self) -> None:
        now = timezone.now()
        if self.renew_at is not None and now < self.renew_at:
            return
        until = now + settings.IMPORT_LEASE
        held = CaseImport.objects.filter(pk=self.row.pk, phase=self.row.phase, lease_until=self.row.lease_until)
        if not held.update(lease_until=until):
            raise Interrupted
        self.row.lease_until = until
        self.renew_at = now + settings.IMPORT_LEASE / 4

    def tell(self, cases_done: int) -> None:
        """How far it came, for the page."""
        self.beat()
        if cases_done != self.told:
            CaseImport.objects.filter(pk=self.row.pk, phase=self.row.phase).update(cases_done=cases_done)
            self.told = cases_done


@contextmanager
def leased(token: str, phase: str) -> Iterator[Lease | None]:
    """The row in the phase that is asked for, held by nobody else; None otherwise."""
    now = timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    until = now + settings.IMPORT_LEASE
    if not CaseImport.objects.filter(free, token=token, phase=phase).update(lease_until=until):
        yield None
        return
    lease = Lease(CaseImport.objects.select_related("study", "started_by").get(token=token))
    try:
        yield lease
    finally:
        CaseImport.objects.filter(pk=lease.row.pk, lease_until=lease.row.lease_until).update(lease_until=None)
