from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.cases.models import Case
from readerstudy.studies.models import Study


class Algorithm(models.Model):
    """A registered model: its card, and its weights under their digest. A changed model is another algorithm."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    name = models.CharField(max_length=80)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 over card and weights.")
    card = models.JSONField()
    folder_key = models.CharField(max_length=160, help_text="Where card and weights lie in the storage.")
    registered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name", "version"]

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Prediction(models.Model):
    """One answer of one algorithm to one input. This row is the queue of record; done rows never change."""

    class Phase(models.TextChoices):
        QUEUED = "queued", _("Waiting")
        LEASED = "leased", _("Being computed")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="predictions")
    input_digest = models.CharField(max_length=64)
    parameters_digest = models.CharField(max_length=64)
    phase = models.CharField(max_length=8, choices=Phase, default=Phase.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="How often a worker has begun this case.")
    begun = models.BooleanField(default=False, help_text="Whether a worker has begun it under the present lease.")
    lease = models.CharField(max_length=TOKEN_LENGTH, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    probability = models.FloatField(null=True, blank=True)
    positive = models.BooleanField(null=True, blank=True)
    uncertain = models.BooleanField(default=False, help_text="The probability lies in the card's band of abstention.")
    findings = models.JSONField(default=dict, blank=True, help_text="See `findings.Findings`.")
    seconds = models.JSONField(default=dict, blank=True)
    device = models.CharField(max_length=200, blank=True)
    runtime = models.CharField(max_length=200, blank=True)
    versions = models.JSONField(default=dict, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["phase", "lease_until"])]
        constraints = [
            models.UniqueConstraint(
                fields=["algorithm", "input_digest", "parameters_digest"], name="prediction_once_per_input"
            ),
            models.CheckConstraint(
                condition=Q(phase__in=["queued", "leased", "done", "failed"]), name="prediction_phase_known"
            ),
            models.CheckConstraint(
                condition=~Q(phase="done") | Q(probability__gte=0, probability__lte=1, positive__isnull=False),
                name="prediction_done_has_probability",
            ),
            models.CheckConstraint(
                condition=~Q(phase="leased") | (Q(lease_until__isnull=False) & ~Q(lease="")),
                name="prediction_lease_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.algorithm}: {self.get_phase_display()}"


class PredictionRun(models.Model):
    """An algorithm run over a study's cases; frozen before any reader sees a case."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="prediction_runs")
    algorithm = models.ForeignKey(Algorithm, on_delete=models.PROTECT, related_name="runs")
    parameters = models.JSONField(default=dict, blank=True)
    assists = models.BooleanField(default=False, help_text="The run whose output the aided arm shows.")
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    frozen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["study", "-started_at"]
        constraints = [
            models.UniqueConstraint(fields=["study"], condition=Q(assists=True), name="run_one_assists"),
        ]

    def __str__(self) -> str:
        return f"{self.algorithm} on {self.study}"


class RunCase(models.Model):
    run = models.ForeignKey(PredictionRun, on_delete=models.PROTECT, related_name="run_cases")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="run_cases")
    prediction = models.ForeignKey(Prediction, on_delete=models.PROTECT, related_name="run_cases")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "case"], name="runcase_once")]

    def __str__(self) -> str:
        return f"{self.run}: {self.case}"
