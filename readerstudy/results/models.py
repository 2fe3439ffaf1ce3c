from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.cases.models import Case
from readerstudy.datasets.models import Dataset


class AnalysisRun(models.Model):
    """One run of the frozen plan on the locked data set; its results are kept as they were computed."""

    class Phase(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, related_name="analysis_runs")
    number = models.PositiveIntegerField()
    phase = models.CharField(max_length=8, choices=Phase, default=Phase.QUEUED)
    plan = models.JSONField()
    plan_digest = models.CharField(max_length=64)
    seed = models.PositiveBigIntegerField(default=20260101)
    results = models.JSONField(null=True, blank=True)
    results_digest = models.CharField(max_length=64, blank=True)
    versions = models.JSONField(default=dict, blank=True)
    message = models.TextField(blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has begun this run.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["dataset", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="analysisrun_number_once"),
            models.CheckConstraint(
                condition=Q(phase__in=["queued", "running", "done", "failed"]), name="analysisrun_phase_known"
            ),
            models.CheckConstraint(
                condition=~Q(phase="done") | (Q(results__isnull=False) & ~Q(results_digest="")),
                name="analysisrun_done_has_results",
            ),
        ]

    def __str__(self) -> str:
        return f"Run {self.number}"


class CaseAgreement(models.Model):
    """How near two truthers drew on one case, under the digests of what both drew; it can be computed anew."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the case and of both annotations.")
    found = models.JSONField(help_text="See `comparing.found_in`.")
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.digest[:12]
