from django import forms
from django.utils.translation import gettext_lazy as _

from .models import ReaderProfile, Seniority, User


class ProfileForm(forms.ModelForm[ReaderProfile]):
    class Meta:
        model = ReaderProfile
        fields = ["seniority", "specialty", "years_of_experience"]
        labels = {
            "seniority": _("Seniority"),
            "specialty": _("Specialty"),
            "years_of_experience": _("Years of experience"),
        }
        help_texts = {
            "seniority": _("A study copies this when it enrols you; a later change does not touch studies you are in."),
            "years_of_experience": _("Whole years since you began to read such images."),
        }


class AccountForm(forms.Form):
    username = forms.CharField(max_length=150, label=_("User name"), help_text=_("Letters, digits and @ . + - _ only."))
    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    site_role = forms.ChoiceField(label=_("Role on this site"), choices=User.Site.choices, initial=User.Site.MEMBER)
    seniority = forms.ChoiceField(
        label=_("Seniority"),
        choices=[("", _("Not a reader")), *Seniority.choices],
        required=False,
        help_text=_("For readers. They can complete their profile themselves."),
    )

    def __init__(self, *args: object, may_give_roles: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not may_give_roles:
            del self.fields["site_role"]


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500)
