from django.conf import settings
from django.db import models
from django.db.models import F, Q

from readerstudy.accounts.models import Seniority
from readerstudy.audit.tokens import TOKEN_LENGTH, new_token


class Study(models.Model):
    class Phase(models.TextChoices):
        DRAFT = "draft", "Draft"
        FROZEN = "frozen", "Protocol frozen"
        OPEN = "open", "Reading open"
        LOCKED = "locked", "Locked"

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    title = models.CharField(max_length=200)
    question = models.TextField("clinical question", blank=True)
    instructions = models.TextField("instructions for readers", blank=True)
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
                violation_error_message="Give the study a title.",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Arm(models.Model):
    """Unaided or aided; what assistance shows is the protocol's choice."""

    class Assistance(models.TextChoices):
        NONE = "none", "None"
        CONCURRENT = "concurrent", "Shown from the start"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="arms")
    position = models.PositiveSmallIntegerField()
    code = models.SlugField(max_length=24)
    label = models.CharField(max_length=60)
    assistance = models.CharField(max_length=12, choices=Assistance, default=Assistance.NONE)
    shows_probability = models.BooleanField(default=False)
    shows_heatmap = models.BooleanField(default=False)
    shows_mask = models.BooleanField(default=False)
    shows_boxes = models.BooleanField(default=False)
    shows_levels = models.BooleanField(default=False)

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "code"],
                name="arm_code_once",
                violation_error_message="Another arm of this study has this code.",
            ),
            models.UniqueConstraint(fields=["study", "position"], name="arm_position_once"),
            models.CheckConstraint(condition=Q(assistance__in=["none", "concurrent"]), name="arm_assistance_known"),
            models.CheckConstraint(
                condition=~Q(assistance="none")
                | Q(
                    shows_probability=False,
                    shows_heatmap=False,
                    shows_mask=False,
                    shows_boxes=False,
                    shows_levels=False,
                ),
                name="arm_unaided_shows_nothing",
                violation_error_message="An unaided arm shows nothing of the model.",
            ),
            models.CheckConstraint(
                condition=Q(assistance="none")
                | Q(shows_probability=True)
                | Q(shows_heatmap=True)
                | Q(shows_mask=True)
                | Q(shows_boxes=True)
                | Q(shows_levels=True),
                name="arm_aided_shows_something",
                violation_error_message="An aided arm shows something of the model: choose what.",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def aided(self) -> bool:
        return self.assistance != self.Assistance.NONE

    @property
    def shown_words(self) -> list[str]:
        """What of the model's output this arm shows, in words."""
        words = {
            "probability": self.shows_probability,
            "heat map": self.shows_heatmap,
            "outline of the mask": self.shows_mask,
            "boxes": self.shows_boxes,
            "vertebral levels": self.shows_levels,
        }
        return [word for word, shown in words.items() if shown]


class Period(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="periods")
    number = models.PositiveSmallIntegerField()
    washout_days = models.PositiveSmallIntegerField(
        default=0, help_text="Days that must pass since this reader last saw the case."
    )

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="period_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="period_counts_from_one"),
            models.CheckConstraint(
                condition=Q(number__gt=1) | Q(washout_days=0),
                name="period_first_has_no_washout",
                violation_error_message="The first period has no washout before it.",
            ),
            models.CheckConstraint(
                condition=Q(washout_days__lte=730),
                name="period_washout_plausible",
                violation_error_message="A washout lasts at most 730 days.",
            ),
        ]

    def __str__(self) -> str:
        return f"Period {self.number}"


class Question(models.Model):
    class Kind(models.TextChoices):
        DECISION = "decision", "Decision, yes or no"
        CONFIDENCE = "confidence", "Confidence, 0 to 100"
        CHOICE = "choice", "Choice of one"
        NUMBER = "number", "Number"
        TEXT = "text", "Text"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="questions")
    position = models.PositiveSmallIntegerField()
    key = models.SlugField(max_length=40)
    kind = models.CharField(max_length=12, choices=Kind)
    text = models.CharField(max_length=300)
    help = models.CharField(max_length=300, blank=True)
    required = models.BooleanField(default=True)
    minimum = models.FloatField(null=True, blank=True)
    maximum = models.FloatField(null=True, blank=True)
    unit = models.CharField(max_length=16, blank=True)
    agrees_with = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="followers")
    threshold = models.FloatField(
        null=True,
        blank=True,
        help_text="A positive decision needs a confidence of at least this much, a negative one less.",
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "key"],
                name="question_key_once",
                violation_error_message="Another question of this study has this key.",
            ),
            models.UniqueConstraint(fields=["study", "position"], name="question_position_once"),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(kind="decision"),
                name="question_one_decision",
                violation_error_message="A study has one decision question; this one has it already.",
            ),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(kind="confidence"),
                name="question_one_confidence",
                violation_error_message="A study has one confidence question; this one has it already.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["decision", "confidence", "choice", "number", "text"]),
                name="question_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lt=F("maximum")),
                name="question_range_in_order",
                violation_error_message="The smallest value must be less than the largest.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="confidence") | Q(minimum__isnull=False, maximum__isnull=False),
                name="question_confidence_has_range",
                violation_error_message="A confidence question needs its smallest and largest value.",
            ),
            models.CheckConstraint(
                condition=Q(agrees_with__isnull=True) | Q(kind="confidence", threshold__isnull=False),
                name="question_agreement_has_threshold",
                violation_error_message="Only a confidence agrees with the decision, and only by a threshold.",
            ),
        ]

    def __str__(self) -> str:
        return self.text


class Choice(models.Model):
    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="choices")
    position = models.PositiveSmallIntegerField()
    value = models.SlugField(max_length=40)
    label = models.CharField(max_length=120)

    class Meta:
        ordering = ["question", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "value"],
                name="choice_value_once",
                violation_error_message="Two choices would be stored under the same value.",
            ),
            models.UniqueConstraint(fields=["question", "position"], name="choice_position_once"),
        ]

    def __str__(self) -> str:
        return self.label


class Endpoint(models.Model):
    class Metric(models.TextChoices):
        AUC = "auc", "Area under the ROC curve"
        SENSITIVITY = "sensitivity", "Sensitivity"
        SPECIFICITY = "specificity", "Specificity"

    class Rank(models.TextChoices):
        PRIMARY = "primary", "Primary"
        SECONDARY = "secondary", "Secondary"
        EXPLORATORY = "exploratory", "Exploratory"

    class Method(models.TextChoices):
        MRMC = "mrmc", "Obuchowski–Rockette over readers and cases"
        PER_READER = "per_reader", "Per reader, with Holm's correction"

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="endpoints")
    position = models.PositiveSmallIntegerField()
    rank = models.CharField(max_length=12, choices=Rank)
    metric = models.CharField(max_length=12, choices=Metric)
    method = models.CharField(max_length=12, choices=Method)
    margin = models.FloatField(
        null=True, blank=True, help_text="Non-inferiority margin; empty for a test of difference."
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="endpoint_position_once"),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(rank="primary"),
                name="endpoint_one_primary",
                violation_error_message="A study has one primary endpoint; this one has it already.",
            ),
            models.CheckConstraint(
                condition=Q(rank__in=["primary", "secondary", "exploratory"]), name="endpoint_rank_known"
            ),
            models.CheckConstraint(
                condition=Q(metric__in=["auc", "sensitivity", "specificity"]), name="endpoint_metric_known"
            ),
            models.CheckConstraint(condition=Q(method__in=["mrmc", "per_reader"]), name="endpoint_method_known"),
            models.CheckConstraint(
                condition=Q(margin__isnull=True) | (Q(margin__gt=0) & Q(margin__lt=1)),
                name="endpoint_margin_a_share",
                violation_error_message="A margin lies between 0 and 1.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rank_display()}: {self.get_metric_display()}"


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
        COORDINATOR = "coordinator", "Coordinator"
        READER = "reader", "Reader"
        TRUTHER = "truther", "Truther"
        STATISTICIAN = "statistician", "Statistician"

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
