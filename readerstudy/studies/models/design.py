from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .study import Study


class Arm(models.Model):
    """Unaided or aided; what assistance shows is the protocol's choice."""

    class Assistance(models.TextChoices):
        NONE = "none", _("None")
        CONCURRENT = "concurrent", _("Shown from the start")
        SEQUENTIAL = "sequential", _("Shown after the reader's own answer")
        ON_REQUEST = "on_request", _("Shown when the reader asks for it")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="arms")
    position = models.PositiveSmallIntegerField()
    code = models.SlugField(max_length=24)
    label = models.CharField(max_length=60)
    assistance = models.CharField(max_length=12, choices=Assistance, default=Assistance.NONE)
    shows_probability = models.BooleanField(default=False)
    shows_heatmap = models.BooleanField(default=False)
    heatmap_at_once = models.BooleanField(
        default=True, help_text=_("Without this the reader presses H: a heat map hides what lies under it.")
    )
    shows_mask = models.BooleanField(default=False)
    shows_boxes = models.BooleanField(default=False)
    shows_levels = models.BooleanField(default=False)
    unaided_share = models.FloatField(
        default=0,
        help_text=_("Share of the cases, drawn, that stay unaided; the reader learns it after the own answer."),
    )
    sham_share = models.FloatField(
        default=0, help_text=_("Share of the cases, drawn, in which the planned output is wrong.")
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["study", "code"],
                name="arm_code_once",
                violation_error_message=_("Another arm of this study has this code."),
            ),
            models.UniqueConstraint(fields=["study", "position"], name="arm_position_once"),
            models.CheckConstraint(
                condition=Q(assistance__in=["none", "concurrent", "sequential", "on_request"]),
                name="arm_assistance_known",
            ),
            models.CheckConstraint(
                condition=Q(unaided_share=0) | Q(assistance="sequential", unaided_share__gt=0, unaided_share__lt=1),
                name="arm_unaided_share_of_sequential",
                violation_error_message=_(
                    "Only an arm whose output comes after the own answer leaves a share of its cases, below 1, unaided."
                ),
            ),
            models.CheckConstraint(
                condition=Q(sham_share=0)
                | Q(
                    ~Q(assistance="none"),
                    sham_share__gt=0,
                    sham_share__lte=1,
                    shows_probability=True,
                    shows_heatmap=False,
                    shows_mask=False,
                    shows_boxes=False,
                    shows_levels=False,
                ),
                name="arm_sham_shows_probability_alone",
                violation_error_message=_(
                    "Planned wrong output is a probability alone: an arm with it shows nothing else of the model."
                ),
            ),
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
                violation_error_message=_("An unaided arm shows nothing of the model."),
            ),
            models.CheckConstraint(
                condition=Q(assistance="none")
                | Q(shows_probability=True)
                | Q(shows_heatmap=True)
                | Q(shows_mask=True)
                | Q(shows_boxes=True)
                | Q(shows_levels=True),
                name="arm_aided_shows_something",
                violation_error_message=_("An aided arm shows something of the model: choose what."),
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
            _("probability"): self.shows_probability,
            _("heat map"): self.shows_heatmap and self.heatmap_at_once,
            _("heat map on a key"): self.shows_heatmap and not self.heatmap_at_once,
            _("outline of the mask"): self.shows_mask,
            _("boxes"): self.shows_boxes,
            _("vertebral levels"): self.shows_levels,
        }
        return [str(word) for word, shown in words.items() if shown]


class Period(models.Model):
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="periods")
    number = models.PositiveSmallIntegerField()
    washout_days = models.PositiveSmallIntegerField(
        default=0, help_text=_("Days that must pass since this reader last saw the case.")
    )

    class Meta:
        ordering = ["study", "number"]
        constraints = [
            models.UniqueConstraint(fields=["study", "number"], name="period_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="period_counts_from_one"),
            models.CheckConstraint(
                condition=Q(number__gt=1) | Q(washout_days=0),
                name="period_first_has_no_washout",
                violation_error_message=_("The first period has no washout before it."),
            ),
            models.CheckConstraint(
                condition=Q(washout_days__lte=730),
                name="period_washout_plausible",
                violation_error_message=_("A washout lasts at most 730 days."),
            ),
        ]

    def __str__(self) -> str:
        return f"Period {self.number}"


class Rules(models.Model):
    """How readers sit and what they may do: part of the protocol, frozen with it."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="rules")
    hanging = models.JSONField(null=True, blank=True, help_text=_("Which series where, and its first window."))
    unreadable_reasons = models.JSONField(default=list, blank=True)
    may_revise = models.BooleanField(default=False)
    break_minutes = models.PositiveSmallIntegerField(default=30)
    display_check = models.BooleanField(default=False)
    training_pass_mark = models.FloatField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(break_minutes__gte=5, break_minutes__lte=240),
                name="rules_break_plausible",
                violation_error_message=_("A break is offered after 5 to 240 minutes."),
            ),
            models.CheckConstraint(
                condition=Q(training_pass_mark__isnull=True) | Q(training_pass_mark__gte=0, training_pass_mark__lte=1),
                name="rules_pass_mark_a_share",
                violation_error_message=_("The pass mark of the training lies between 0 and 1."),
            ),
        ]

    def __str__(self) -> str:
        return f"Rules of {self.study}"


class Endpoint(models.Model):
    class Metric(models.TextChoices):
        AUC = "auc", _("Area under the ROC curve")
        SENSITIVITY = "sensitivity", _("Sensitivity")
        SPECIFICITY = "specificity", _("Specificity")

    class Rank(models.TextChoices):
        PRIMARY = "primary", _("Primary")
        SECONDARY = "secondary", _("Secondary")
        EXPLORATORY = "exploratory", _("Exploratory")

    class Method(models.TextChoices):
        MRMC = "mrmc", _("Obuchowski–Rockette over readers and cases")
        PER_READER = "per_reader", _("Per reader, with Holm's correction")
        MODEL = "model", _("The model against each reader, with Holm's correction")

    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="endpoints")
    position = models.PositiveSmallIntegerField()
    rank = models.CharField(max_length=12, choices=Rank)
    metric = models.CharField(max_length=12, choices=Metric)
    method = models.CharField(max_length=12, choices=Method)
    margin = models.FloatField(
        null=True, blank=True, help_text=_("Non-inferiority margin; empty for a test of difference.")
    )

    class Meta:
        ordering = ["study", "position"]
        constraints = [
            models.UniqueConstraint(fields=["study", "position"], name="endpoint_position_once"),
            models.UniqueConstraint(
                fields=["study"],
                condition=Q(rank="primary"),
                name="endpoint_one_primary",
                violation_error_message=_("A study has one primary endpoint; this one has it already."),
            ),
            models.CheckConstraint(
                condition=Q(rank__in=["primary", "secondary", "exploratory"]), name="endpoint_rank_known"
            ),
            models.CheckConstraint(
                condition=Q(metric__in=["auc", "sensitivity", "specificity"]), name="endpoint_metric_known"
            ),
            models.CheckConstraint(
                condition=Q(method__in=["mrmc", "per_reader", "model"]), name="endpoint_method_known"
            ),
            models.CheckConstraint(
                condition=Q(margin__isnull=True) | (Q(margin__gt=0) & Q(margin__lt=1)),
                name="endpoint_margin_a_share",
                violation_error_message=_("A margin lies between 0 and 1."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_rank_display()}: {self.get_metric_display()}"
