from django.conf import settings
from django.db import models
from django.db.models import Q

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token
from readerstudy.reference.models import Standard
from readerstudy.studies.models import ProtocolVersion, Study


class Dataset(models.Model):
    """The locked data of a study: signed once, described by its codebook, named by its digest."""

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    study = models.OneToOneField(Study, on_delete=models.PROTECT, related_name="dataset")
    protocol = models.ForeignKey(ProtocolVersion, on_delete=models.PROTECT, related_name="+")
    standard = models.ForeignKey(Standard, on_delete=models.PROTECT, related_name="+")
    rows = models.PositiveIntegerField()
    missing = models.JSONField(default=dict, help_text="What was not read, and the reason that was accepted for it.")
    codebook = models.JSONField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the canonical CSV of the answers.")
    files = models.JSONField(help_text="Name, storage key, bytes and SHA-256 of each file of the bundle.")
    chain_head = models.CharField(max_length=64, help_text="The audit chain as the signer saw it.")
    signed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    signature_meaning = models.CharField(max_length=200)
    locked_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(rows__gte=1), name="dataset_has_rows")]

    def __str__(self) -> str:
        return f"Data set {self.digest[:12]}"
