from django.conf import settings
from django.db import models
from django.db.models import Q

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.cases.models import Case
from readerstudy.studies.models import Arm, Enrolment, Period, Study


class Allocation(models.Model):
    """The one draw of a study: its seed, its design, the digest of its slots."""

    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="allocation")
    design = models.CharField(max_length=24, default="crossover")
    seed = models.CharField(max_length=32, help_text="128 bits, hexadecimal.")
    parameters = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    drawn_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    drawn_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.design}, seed {self.seed}"


class Slot(models.Model):
    """Reader × arm × case × period at a position. Drawn (or, for imported answers, external); never moved."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    allocation = models.ForeignKey(Allocation, on_delete=models.PROTECT, null=True, blank=True, related_name="slots")
    reader = models.ForeignKey(Enrolment, on_delete=models.PROTECT, related_name="slots")
    arm = models.ForeignKey(Arm, on_delete=models.PROTECT, related_name="slots")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="slots")
    period = models.ForeignKey(Period, on_delete=models.PROTECT, related_name="slots")
    position = models.PositiveIntegerField()
    external = models.BooleanField(default=False)
    training = models.PositiveSmallIntegerField(default=0, help_text="Round of the training; 0 for the study itself.")
    withheld = models.BooleanField(default=False, help_text="Drawn to stay unaided in an arm that shows output later.")
    sham = models.BooleanField(default=False, help_text="Drawn to be shown planned wrong output.")

    class Meta:
        ordering = ["reader", "period", "training", "position"]
        constraints = [
            models.UniqueConstraint(fields=["reader", "arm", "case", "period", "training"], name="slot_once"),
            models.UniqueConstraint(fields=["reader", "period", "training", "position"], name="slot_position_once"),
            models.CheckConstraint(condition=Q(position__gte=1), name="slot_counts_from_one"),
            models.CheckConstraint(
                condition=Q(allocation__isnull=False, external=False) | Q(allocation__isnull=True, external=True),
                name="slot_drawn_or_external",
            ),
            models.CheckConstraint(
                condition=Q(training=0) | Q(external=False, withheld=False, sham=False), name="slot_training_is_plain"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reader} {self.period} {self.position}"
