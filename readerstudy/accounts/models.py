from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from readerstudy.audit.tokens import TOKEN_LENGTH, new_token


class Seniority(models.TextChoices):
    SENIOR = "senior", _("Senior")
    INTERMEDIATE = "intermediate", _("Intermediate")
    JUNIOR = "junior", _("Junior")


class User(AbstractUser):
    """A person. What somebody may do in a study is the role of their enrolment there."""

    class Site(models.TextChoices):
        MEMBER = "member", _("Member")
        COORDINATOR = "coordinator", _("May create studies")
        DEVELOPER = "developer", _("May register algorithms")
        ADMINISTRATOR = "administrator", _("Administers the site")

    token = models.CharField(max_length=TOKEN_LENGTH, unique=True, default=new_token, editable=False)
    site_role = models.CharField(max_length=16, choices=Site, default=Site.MEMBER)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(site_role__in=["member", "coordinator", "developer", "administrator"]),
                name="user_site_role_known",
            )
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username


class ReaderProfile(models.Model):
    """What a reader declares of themselves; a study copies the seniority when it enrols them."""

    user = models.OneToOneField(User, on_delete=models.PROTECT, related_name="reader_profile")
    seniority = models.CharField(max_length=16, choices=Seniority)
    specialty = models.CharField(max_length=80, blank=True)
    years_of_experience = models.PositiveSmallIntegerField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(seniority__in=["senior", "intermediate", "junior"]), name="profile_seniority_known"
            ),
            models.CheckConstraint(
                condition=models.Q(years_of_experience__isnull=True) | models.Q(years_of_experience__lte=70),
                name="profile_years_plausible",
                violation_error_message="Years of experience are at most 70.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_seniority_display()}"
