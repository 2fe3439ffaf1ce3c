from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

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
        POSITIVE = "positive", _("Positive")
        NEGATIVE = "negative", _("Negative")
        UNDECIDED = "undecided", _("Cannot decide")

    truther = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="opinions")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="opinions")
    number = models.PositiveSmallIntegerField(default=1)
    verdict = models.CharField(max_length=10, choices=Verdict)
    note = models.TextField(blank=True)
    adjudicates = models.BooleanField(default=False, help_text="Given with the others' opinions in sight.")
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


class Annotation(models.Model):
    """What a truther drew for an opinion; given once, with it."""

    opinion = models.OneToOneField(Opinion, on_delete=models.PROTECT, related_name="annotation")
    marks = models.JSONField(default=list, help_text="See `marks.Mark`; with millimetres and measures by the server.")
    digest = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"Marks of {self.opinion}"


class AnnotationDraft(models.Model):
    """Unfinished work of a truther on a case; `revision` counts the saves, so that no window undoes another's."""

    truther = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    revision = models.PositiveIntegerField(default=1)
    work = models.JSONField(default=dict, help_text="See `marks.Work`.")
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["truther", "case"], name="annotationdraft_once")]

    def __str__(self) -> str:
        return f"Draft {self.revision} of {self.truther}"


class Proposal(models.Model):
    """Marks of a model, offered to the truthers of a case; the newest is shown."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="proposals")
    source = models.CharField(max_length=200, help_text="Algorithm and version.")
    source_digest = models.CharField(max_length=64, help_text="Of the algorithm.")
    marks = models.JSONField(default=list)
    digest = models.CharField(max_length=64)
    offered_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    offered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["case", "-pk"]
        constraints = [models.UniqueConstraint(fields=["case", "digest"], name="proposal_once")]

    def __str__(self) -> str:
        return f"Marks of {self.source}"


class ProposalDecision(models.Model):
    """What a truther did with one mark of a model."""

    class Verdict(models.TextChoices):
        ACCEPTED = "accepted", "Accepted"
        EDITED = "edited", "Edited"
        REJECTED = "rejected", "Rejected"

    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="decisions")
    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="decisions")
    key = models.CharField(max_length=40)
    verdict = models.CharField(max_length=8, choices=Verdict)

    class Meta:
        ordering = ["annotation", "key"]
        constraints = [
            models.UniqueConstraint(fields=["annotation", "proposal", "key"], name="proposaldecision_once"),
            models.CheckConstraint(
                condition=Q(verdict__in=["accepted", "edited", "rejected"]), name="proposaldecision_verdict_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.get_verdict_display()}"


class Adjudicator(models.Model):
    """A truther who decides where the others differ, and so gives no opinion of their own."""

    truther = models.OneToOneField(Enrolment, on_delete=models.PROTECT, related_name="adjudicator")
    appointed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    appointed_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.truther} adjudicates"


class StandardAnnotation(models.Model):
    """The marks of a case that a version of the standard rests on."""

    standard = models.ForeignKey(Standard, on_delete=models.PROTECT, related_name="annotations")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="+")
    annotation = models.ForeignKey(Annotation, on_delete=models.PROTECT, related_name="standards")

    class Meta:
        ordering = ["standard", "case"]
        constraints = [models.UniqueConstraint(fields=["standard", "case"], name="standardannotation_once")]

    def __str__(self) -> str:
        return f"{self.standard}: {self.annotation}"
