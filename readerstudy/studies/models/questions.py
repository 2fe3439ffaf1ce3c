from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from .study import Study


class Question(models.Model):
    class Kind(models.TextChoices):
        DECISION = "decision", _("Decision, yes or no")
        CONFIDENCE = "confidence", _("Confidence or scale")
        CHOICE = "choice", _("Choice of one")
        CHOICES = "choices", _("Choice of several")
        GRID = "grid", _("Grid")
        LEVEL = "level", _("Vertebral level")
        NUMBER = "number", _("Number")
        MARKS = "marks", _("Marks on the image, each with a rating")
        TEXT = "text", _("Text")

    class Scale(models.TextChoices):
        SLIDER = "slider", _("Slider with typed entry")
        POINTS = "points", _("Points, one button each")

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
    scale = models.CharField(max_length=8, choices=Scale, default=Scale.SLIDER)
    depends_on = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="branches")
    depends_on_values = models.JSONField(
        default=list, blank=True, help_text="The question is asked where the other one has one of these answers."
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "key"],
                name="question_key_once",
                violation_error_message=_("Another question of this study has this key."),
            ),
            models.UniqueConstraint(fields=["study", "position"], name="question_position_once"),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(kind="decision"),
                name="question_one_decision",
                violation_error_message=_("A study has one decision question; this one has it already."),
            ),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(kind="confidence"),
                name="question_one_confidence",
                violation_error_message=_("A study has one confidence question; this one has it already."),
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[
                        *("decision", "confidence", "choice", "choices", "grid", "level", "number", "marks", "text")
                    ]
                ),
                name="question_kind_known",
            ),
            models.CheckConstraint(
                condition=Q(minimum__isnull=True) | Q(maximum__isnull=True) | Q(minimum__lt=F("maximum")),
                name="question_range_in_order",
                violation_error_message=_("The smallest value must be less than the largest."),
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=["confidence", "marks"]) | Q(minimum__isnull=False, maximum__isnull=False),
                name="question_confidence_has_range",
                violation_error_message=_("A confidence question needs its smallest and largest value."),
            ),
            models.CheckConstraint(
                condition=Q(agrees_with__isnull=True) | Q(kind="confidence", threshold__isnull=False),
                name="question_agreement_has_threshold",
                violation_error_message=_("Only a confidence agrees with the decision, and only by a threshold."),
            ),
            models.CheckConstraint(condition=Q(scale__in=["slider", "points"]), name="question_scale_known"),
            models.CheckConstraint(
                condition=Q(depends_on__isnull=True, depends_on_values=[])
                | (Q(depends_on__isnull=False) & ~Q(depends_on_values=[])),
                name="question_branch_has_answers",
                violation_error_message=_("Say after which answers of the other question this one is asked."),
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
                violation_error_message=_("Two choices would be stored under the same value."),
            ),
            models.UniqueConstraint(fields=["question", "position"], name="choice_position_once"),
        ]

    def __str__(self) -> str:
        return self.label


class Item(models.Model):
    """A row of a grid: a vertebra, a feature."""

    question = models.ForeignKey(Question, on_delete=models.PROTECT, related_name="items")
    position = models.PositiveSmallIntegerField()
    value = models.SlugField(max_length=40)
    label = models.CharField(max_length=120)

    class Meta:
        ordering = ["question", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["question", "value"],
                name="item_value_once",
                violation_error_message=_("Two rows would be stored under the same value."),
            ),
            models.UniqueConstraint(fields=["question", "position"], name="item_position_once"),
        ]

    def __str__(self) -> str:
        return self.label
