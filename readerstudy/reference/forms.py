from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .models import Opinion
from .queries import OpinionTable, named

ADJUDICATED = {"": None, "positive": True, "negative": False}


class OpinionForm(forms.Form):
    verdict = forms.ChoiceField(choices=Opinion.Verdict.choices, widget=forms.RadioSelect, label=_("Your opinion"))
    note = forms.CharField(
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2}),
        label=_("Note"),
        help_text=_("Why, if it is not plain."),
    )
    revision = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)


class AppointForm(forms.Form):
    truther = forms.CharField(max_length=40)


class AdoptForm(forms.Form):
    reason = forms.CharField(max_length=500, label=_("Reason for the new version"))

    def __init__(self, *args: Any, table: OpinionTable, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for entry in table.open_questions:
            self.fields[f"case_{entry.case.token}"] = forms.ChoiceField(
                choices=[("", _("not decided")), ("positive", _("positive")), ("negative", _("negative"))],
                required=False,
                label=gettext("Adjudicated value of %(case)s") % {"case": entry.case.label},
            )

        if table.single:
            words = {"count": len(table.single), "cases": named(table.single)}
            label = gettext("One opinion is enough for %(count)d cases: %(cases)s") % words
            self.fields["single_stands"] = forms.BooleanField(required=False, label=label)

    def adjudicated(self) -> dict[str, bool]:
        values = {
            name.removeprefix("case_"): ADJUDICATED[value]
            for name, value in self.cleaned_data.items()
            if name.startswith("case_")
        }
        return {token: value for token, value in values.items() if value is not None}
