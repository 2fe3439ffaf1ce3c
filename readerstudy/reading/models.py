from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from readerstudy.allocation.models import Slot
from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.studies.models import Enrolment, Period, Question, Study


class ExternalSource(models.Model):
    """A file of readers' answers that were given elsewhere."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="external_sources")
    name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    collected = models.JSONField(default=list, help_text="Keys of the questions the file answers.")
    simulated = models.BooleanField(default=False)
    imported_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    imported_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["study", "digest"], name="externalsource_once")]

    def __str__(self) -> str:
        return self.name


class ReadingSession(models.Model):
    """A sitting of one reader in one period, from start to pause or end."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    reader = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="reading_sessions")
    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="reading_sessions")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    display = models.JSONField(null=True, blank=True, help_text="What the display check at its start found.")

    class Meta:
        ordering = ["reader", "started_at"]
        constraints = [
            models.UniqueConstraint(fields=["reader"], condition=Q(ended_at__isnull=True), name="session_one_open"),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(ended_at__gte=F("started_at")), name="session_ends_after_start"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} {self.started_at:%Y-%m-%d %H:%M}"


class Reading(models.Model):
    """One reader's encounter with one slot: opened, drafted, submitted once."""

    class Phase(models.TextChoices):
        OPEN = "open", _("Open")
        SUBMITTED = "submitted", _("Submitted")

    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, related_name="reading")
    session = models.ForeignKey(
        ReadingSession, on_delete=models.PROTECT, null=True, blank=True, related_name="readings"
    )
    source = models.ForeignKey(ExternalSource, on_delete=models.PROTECT, null=True, blank=True, related_name="readings")
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.OPEN)
    opened_at = models.DateTimeField(null=True, blank=True)
    last_exposed_at = models.DateTimeField(null=True, blank=True, help_text="From here the washout counts.")
    submitted_at = models.DateTimeField(null=True, blank=True)
    first_at = models.DateTimeField(null=True, blank=True, help_text="When the own answer was committed.")
    first_digest = models.CharField(max_length=64, blank=True)
    output_at = models.DateTimeField(null=True, blank=True, help_text="When the model's output first left the server.")
    unreadable_reason = models.CharField(max_length=500, blank=True)
    draft = models.JSONField(null=True, blank=True)
    draft_at = models.DateTimeField(null=True, blank=True)
    draft_log = models.JSONField(null=True, blank=True, help_text="Activity and toggles so far, beside the draft.")
    client_key = models.UUIDField(null=True, blank=True, unique=True)
    payload_digest = models.CharField(max_length=64, blank=True)
    active_ms = models.PositiveBigIntegerField(null=True, blank=True)
    idle_ms = models.PositiveBigIntegerField(null=True, blank=True)
    hidden_ms = models.PositiveBigIntegerField(null=True, blank=True)
    load_ms = models.PositiveBigIntegerField(null=True, blank=True)
    first_active_ms = models.PositiveBigIntegerField(null=True, blank=True, help_text="Up to the own answer.")
    first_idle_ms = models.PositiveBigIntegerField(null=True, blank=True)
    first_hidden_ms = models.PositiveBigIntegerField(null=True, blank=True)
    first_load_ms = models.PositiveBigIntegerField(null=True, blank=True)
    activity = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(phase__in=["open", "submitted"]), name="reading_phase_known"),
            models.CheckConstraint(
                condition=Q(session__isnull=False, source__isnull=True, opened_at__isnull=False)
                | Q(session__isnull=True, source__isnull=False),
                name="reading_here_or_external",
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=False)
                | Q(phase="open", submitted_at__isnull=True)
                | Q(phase="submitted", submitted_at__gte=F("opened_at"), client_key__isnull=False),
                name="reading_submitted_is_complete",
            ),
            models.CheckConstraint(
                condition=Q(source__isnull=True) | Q(phase="submitted"), name="reading_external_is_submitted"
            ),
            models.CheckConstraint(
                condition=Q(first_at__isnull=True, first_digest="") | Q(first_at__isnull=False) & ~Q(first_digest=""),
                name="reading_first_is_complete",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slot}: {self.get_phase_display()}"


class Answer(models.Model):
    """One answer to one question; a correction is a further row that says what it replaces and why.

    Where output comes after the own answer, that answer is the first one, and what is answered then the final one.
    """

    class Stage(models.TextChoices):
        FIRST = "first", _("Before the model's output")
        FINAL = "final", _("Final")

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="answers")
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="answers")
    stage = models.CharField(max_length=5, choices=Stage, default=Stage.FINAL)
    number = models.PositiveSmallIntegerField(default=1)
    value = models.JSONField()
    reason = models.TextField(blank=True)
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    given_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["reading", "question", "stage", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "question", "stage", "number"], name="answer_number_once"),
            models.CheckConstraint(condition=Q(stage__in=["first", "final"]), name="answer_stage_known"),
            models.CheckConstraint(condition=Q(number=1) | ~Q(reason=""), name="answer_correction_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.question.key} = {self.value}"


class Exposure(models.Model):
    """When which output of the model was shown or hidden: by the browser's word within the server's bounds, and when
    it left the server, by the server's own.

    A row without an image is a switch. One with an image says when the output lay over that image on the screen, from
    0.2 s of rest on, and when it no longer did; what was switched on but on no image in sight has no such row.
    """

    class Source(models.TextChoices):
        BROWSER = "browser", _("Browser")
        SERVER = "server", _("Server")

    class Kind(models.TextChoices):
        OUTPUT = "output", _("Output sent")
        PROBABILITY = "probability", _("Probability")
        HEATMAP = "heatmap", _("Heat map")
        MASK = "mask", _("Outline of the mask")
        BOXES = "boxes", _("Boxes")
        LEVELS = "levels", _("Vertebral levels")

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="exposures")
    source = models.CharField(max_length=8, choices=Source, default=Source.BROWSER)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind)
    shown = models.BooleanField()
    image = models.PositiveIntegerField(
        null=True, blank=True, help_text="Number of the image that it lay over, through all series of the case."
    )
    plane = models.CharField(
        max_length=8, blank=True, help_text="Where it lay over a plane through the stack that begins with the image."
    )
    position = models.PositiveIntegerField(
        null=True, blank=True, help_text="Of that plane among those of its direction."
    )
    opacity = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Percent, of what is laid over images.")
    after_ms = models.PositiveBigIntegerField(help_text="Since the reading was opened.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["reading", "source", "number"]
        constraints = [
            models.UniqueConstraint(fields=["reading", "source", "number"], name="exposure_number_once"),
            models.CheckConstraint(condition=Q(source__in=["browser", "server"]), name="exposure_source_known"),
            models.CheckConstraint(
                condition=Q(kind__in=["output", "probability", "heatmap", "mask", "boxes", "levels"]),
                name="exposure_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(image__isnull=True, plane="")
                | Q(
                    image__gte=1,
                    kind__in=["heatmap", "mask", "boxes", "levels"],
                    plane__in=["", "axial", "coronal", "sagittal"],
                ),
                name="exposure_image_of_a_layer",
            ),
            models.CheckConstraint(
                condition=Q(position__isnull=True) | (Q(position__gte=1) & ~Q(plane="")),
                name="exposure_position_in_a_plane",
            ),
            models.CheckConstraint(
                condition=Q(opacity__isnull=True)
                | Q(opacity__lte=100, kind__in=["heatmap", "mask", "boxes", "levels"], image__isnull=True),
                name="exposure_opacity_of_a_layer",
            ),
        ]

    def __str__(self) -> str:
        where = f" on image {self.image}" if self.image else ""
        return f"{self.kind} {'shown' if self.shown else 'hidden'}{where} at {self.after_ms} ms"


class Look(models.Model):
    """A submitted case that was on the screen again, where there is a way back; the reading itself is frozen.

    One row when it is handed out, and one with the times when it is sent back.
    """

    reading = models.ForeignKey(Reading, on_delete=models.PROTECT, related_name="looks")
    number = models.PositiveIntegerField()
    seen_at = models.DateTimeField(help_text="The washout counts from the last of them.")
    active_ms = models.PositiveBigIntegerField(null=True, blank=True)
    idle_ms = models.PositiveBigIntegerField(null=True, blank=True)
    hidden_ms = models.PositiveBigIntegerField(null=True, blank=True)
    load_ms = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["reading", "number"]
        constraints = [models.UniqueConstraint(fields=["reading", "number"], name="look_number_once")]

    def __str__(self) -> str:
        return f"{self.reading}: {self.seen_at:%Y-%m-%d %H:%M:%S}"


class WashoutOverride(models.Model):
    """A washout cut short for one slot: one person asks with a reason, a second one agrees."""

    slot = models.OneToOneField(Slot, on_delete=models.PROTECT, related_name="washout_override")
    reason = models.TextField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    agreed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(reason=""), name="override_has_reason"),
            models.CheckConstraint(
                condition=Q(agreed_by__isnull=True) | ~Q(agreed_by=F("asked_by")), name="override_two_persons"
            ),
        ]

    def __str__(self) -> str:
        return f"Washout of {self.slot}"
