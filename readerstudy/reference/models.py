from django.conf import settings
from django.db import models
from django.db.models import Q

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.cases.models import Case, Unit
from readerstudy.studies.models import Enrolment, Study


class Standard(models.Model):
    """A version of a study's reference standard. Never changed; a better one is a new version."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="standards")
    number = models.PositiveIntegerField()
    method = models.CharField(max_length=200, help_text="How the truth was found, as a report would say it.")
    reason = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="standard_number_once"),
            models.CheckConstraint(condition=Q(number=1) | ~Q(reason=""), name="standard_change_has_reason"),
        ]

    def __str__(self) -> str:
        return f"Reference standard {self.number}"


class Truth(models.Model):
    standard = models.ForeignKey(Standard, on_delete=models.PROTECT, related_name="truths")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="truths")
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, null=True, blank=True, related_name="truths")
    positive = models.BooleanField()
    label = models.CharField(max_length=80, blank=True, help_text="The class, where there are more than two.")

    class Meta:
        ordering = ["standard", "case"]
        constraints = [
            models.UniqueConstraint(
                fields=["standard", "case", "unit"], nulls_distinct=False, name="truth_once_per_unit"
            )
        ]

    def __str__(self) -> str:
        return "positive" if self.positive else "negative"


class Opinion(models.Model):
    """What one truther says of one case; a later opinion supersedes, the earlier one stays."""

    class Verdict(models.TextChoices):
        POSITIVE = "positive", "Positive"
        NEGATIVE = "negative", "Negative"
        UNDECIDED = "undecided", "Cannot decide"

    truther = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="opinions")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="opinions")
    number = models.PositiveSmallIntegerField(default=1)
    verdict = models.CharField(max_length=10, choices=Verdict)
    note = models.TextField(blank=True)
    given_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["case", "truther", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["truther", "case", "number"], name="opinion_number_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=["positive", "negative", "undecided"]), name="opinion_verdict_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.truther}: {self.get_verdict_display()}"
