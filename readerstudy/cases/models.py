from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.studies.models import Study


class CaseImport(models.Model):
    """One manifest and its files: dry run first, then file by file; the row is the record of how far it came."""

    class Phase(models.TextChoices):
        CHECKING = "checking", _("Being checked")
        FAULTY = "faulty", _("Has faults")
        CHECKED = "checked", _("Checked, ready to import")
        RUNNING = "running", _("Importing")
        DONE = "done", _("Imported")
        STOPPED = "stopped", _("Stopped")

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="imports")
    phase = models.CharField(max_length=10, choices=Phase, default=Phase.CHECKING)
    source = models.CharField(max_length=200, help_text="Name of the archive or folder, for the coordinator only.")
    folder = models.CharField(
        max_length=500, blank=True, help_text="A folder of the server; empty where an archive was uploaded."
    )
    server = models.CharField(
        max_length=40, blank=True, help_text="A DICOMweb server of the settings; empty where files were given."
    )
    archive_key = models.CharField(
        max_length=120, blank=True, help_text="The uploaded archive in storage, until all is imported."
    )
    manifest_digest = models.CharField(max_length=64)
    manifest = models.JSONField(default=list, help_text="The checked rows.")
    faults = models.JSONField(default=list, help_text="Row, column, value and sentence of every fault.")
    cases_total = models.PositiveIntegerField(default=0)
    cases_done = models.PositiveIntegerField(default=0)
    message = models.TextField(blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(phase__in=["checking", "faulty", "checked", "running", "done", "stopped"]),
                name="caseimport_phase_known",
            )
        ]

    def __str__(self) -> str:
        return f"Import of {self.source}"

    @property
    def has_files(self) -> bool:
        """Or had them all imported, or was dropped."""
        return bool(self.archive_key or self.folder or self.server)


class Case(models.Model):
    """What is read once: one examination of one patient. Truth stands elsewhere (`reference`)."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.ForeignKey(Study, on_delete=models.PROTECT, related_name="cases")
    label = models.CharField(max_length=80, help_text="The coordinator's name of the case; readers never see it.")
    patient = models.CharField(max_length=64, help_text="Keyed hash of the patient's identifier.")
    site = models.CharField(max_length=80, blank=True)
    covariates = models.JSONField(default=dict, blank=True)
    source = models.ForeignKey(CaseImport, on_delete=models.PROTECT, null=True, blank=True, related_name="cases")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["study", "label"]
        indexes = [models.Index(fields=["study", "patient"])]
        constraints = [
            models.UniqueConstraint(fields=["study", "label"], name="case_label_once"),
            models.CheckConstraint(condition=~Q(label=""), name="case_has_label"),
        ]

    def __str__(self) -> str:
        return self.label


class Unit(models.Model):
    """A vertebra or lesion inside a case, where something is decided about it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="units")
    label = models.CharField(max_length=24)
    kind = models.CharField(max_length=24, default="vertebra")

    class Meta:
        ordering = ["case", "label"]
        constraints = [models.UniqueConstraint(fields=["case", "label"], name="unit_label_once")]

    def __str__(self) -> str:
        return self.label


class Series(models.Model):
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="series")
    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    position = models.PositiveSmallIntegerField()
    label = models.CharField(
        max_length=40, blank=True, help_text="Shown to readers, so from an allow-list or the manifest."
    )
    modality = models.CharField(max_length=8, blank=True)
    plane = models.CharField(max_length=12, blank=True)
    unit = models.CharField(max_length=8, blank=True)
    body_part = models.CharField(max_length=16, blank=True)
    laterality = models.CharField(max_length=2, blank=True)
    view = models.CharField(max_length=16, blank=True)
    slice_thickness = models.FloatField(null=True, blank=True, help_text="Millimetres.")
    frame_of_reference = models.PositiveSmallIntegerField(
        default=0, help_text="Equal in a case where places can be compared; 0 where the files do not say."
    )
    more_windows = models.JSONField(default=list, blank=True, help_text="Centre, width, shape of each further window.")

    class Meta:
        verbose_name_plural = "series"
        ordering = ["case", "position"]
        constraints = [models.UniqueConstraint(fields=["case", "position"], name="series_position_once")]

    def __str__(self) -> str:
        return self.label or f"Series {self.position}"


class Image(models.Model):
    """One frame: its pixels by digest in storage, its geometry here."""

    class Shape(models.TextChoices):
        LINEAR = "linear"
        EXACT = "exact"
        SIGMOID = "sigmoid"
        TABLE = "table"

    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="images")
    position = models.PositiveIntegerField()
    source_digest = models.CharField(max_length=64, help_text="SHA-256 of the file it was read from.")
    frame_digest = models.CharField(max_length=64, help_text="SHA-256 of the stored frame file.")
    frame_key = models.CharField(max_length=120)
    preview_key = models.CharField(max_length=120, blank=True)
    thumbnail_key = models.CharField(max_length=120, blank=True)
    rows = models.PositiveIntegerField()
    columns = models.PositiveIntegerField()
    bits = models.PositiveSmallIntegerField()
    inverted = models.BooleanField(default=False)
    slope = models.FloatField(default=1.0)
    intercept = models.FloatField(default=0.0)
    samples = models.PositiveSmallIntegerField(default=1, help_text="1 in grey, 3 in colour (8-bit RGB).")
    window_center = models.FloatField()
    window_width = models.FloatField()
    window_shape = models.CharField(max_length=7, choices=Shape, default=Shape.LINEAR)
    window_steps = models.JSONField(
        default=list, blank=True, help_text="Of a table: shown value and grey from there on, in turns."
    )
    spacing = models.JSONField(null=True, blank=True, help_text="Row and column spacing in mm.")
    calibrated = models.BooleanField(default=False)
    origin = models.JSONField(null=True, blank=True, help_text="Patient position of the first pixel in mm.")
    orientation = models.JSONField(null=True, blank=True, help_text="Six direction cosines.")
    letters = models.JSONField(null=True, blank=True, help_text="Sides towards which rows and columns run.")

    class Meta:
        ordering = ["series", "position"]
        constraints = [
            models.UniqueConstraint(fields=["series", "position"], name="image_position_once"),
            models.CheckConstraint(condition=Q(rows__gte=1, columns__gte=1), name="image_has_pixels"),
            models.CheckConstraint(condition=Q(bits__gte=1, bits__lte=16), name="image_bits_within_16"),
            models.CheckConstraint(condition=Q(samples=1) | Q(samples=3, bits=8), name="image_grey_or_colour"),
            models.CheckConstraint(condition=Q(window_width__gt=0), name="image_window_has_width"),
            models.CheckConstraint(
                condition=Q(window_shape__in=["linear", "exact", "sigmoid", "table"]), name="image_window_shape_known"
            ),
            models.CheckConstraint(
                condition=(Q(window_shape="table") & ~Q(window_steps=[]))
                | (~Q(window_shape="table") & Q(window_steps=[])),
                name="image_table_has_steps",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.series} {self.position}"
