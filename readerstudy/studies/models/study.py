from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from readerstudy.accounts.models import Seniority
from readerstudy.audit.tokens import TOKEN_LENGTH, new_token


class Study(models.Model):
    class Phase(models.TextChoices):
        DRAFT = "draft", _("Draft")
        FROZEN = "frozen", _("Protocol frozen")
        OPEN = "open", _("Reading open")
        LOCKED = "locked", _("Locked")

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    title = models.CharField(max_length=200)
    question = models.TextField(_("clinical question"), blank=True)
    instructions = models.TextField(_("instructions for readers"), blank=True)
    phase = models.CharField(max_length=8, choices=Phase, default=Phase.DRAFT)
    synthetic = models.BooleanField(default=False, help_text="Images or readers are simulated; every page says so.")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "studies"
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(phase__in=["draft", "frozen", "open", "locked"]), name="study_phase_known"
            ),
            models.CheckConstraint(
                condition=~Q(title=""),
                name="study_has_title",
                violation_error_message=_("Give the study a title."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ProtocolVersion(models.Model):
    """A frozen protocol and analysis plan with their digests; an amendment is a new row with a reason."""

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="protocol_versions")
    number = models.PositiveSmallIntegerField()
    protocol = models.JSONField()
    plan = models.JSONField()
    protocol_digest = models.CharField(max_length=64)
    plan_digest = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    frozen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    frozen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="protocol_number_once"),
            models.CheckConstraint(condition=Q(number=1) | ~Q(reason=""), name="protocol_amendment_has_reason"),
        ]

    def __str__(self) -> str:
        return f"Protocol {self.number}"


class Enrolment(models.Model):
    """A person's one role in a study. One row per person and study: who set the truth cannot read."""

    class Role(models.TextChoices):
        COORDINATOR = "coordinator", _("Coordinator")
        READER = "reader", _("Reader")
        TRUTHER = "truther", _("Truther")
        STATISTICIAN = "statistician", _("Statistician")

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="enrolments")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="enrolments"
    )
    role = models.CharField(max_length=12, choices=Role)
    code = models.CharField(max_length=40, blank=True, help_text="The reader's name in tables and exports.")
    seniority = models.CharField(max_length=16, choices=Seniority, blank=True)
    external = models.BooleanField(default=False, help_text="A reader whose answers were imported, without an account.")
    simulated = models.BooleanField(default=False)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "role", "code", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["study", "user"], name="enrolment_one_role_per_person"),
            models.UniqueConstraint(fields=["study", "code"], condition=~Q(code=""), name="enrolment_code_once"),
            models.CheckConstraint(
                condition=Q(role__in=["coordinator", "reader", "truther", "statistician"]),
                name="enrolment_role_known",
            ),
            models.CheckConstraint(
                condition=~Q(role="reader") | (Q(seniority__in=["senior", "intermediate", "junior"]) & ~Q(code="")),
                name="enrolment_reader_has_seniority_and_code",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, external=False) | Q(user__isnull=True, external=True, role="reader"),
                name="enrolment_external_or_person",
            ),
        ]

    def __str__(self) -> str:
        return self.code or str(self.user)
