from django import forms
from django.utils.translation import gettext_lazy as _

from readerstudy.studies.models import Study

from .models import Algorithm


class AlgorithmForm(forms.Form):
    card = forms.FileField(
        label=_("Card (card.json)"), help_text=_("Name, version, labels, operating point, digest of the weights.")
    )
    weights = forms.FileField(
        label=_("Weights (weights.safetensors)"), help_text=_("Only safetensors; pickled weights are refused.")
    )


class RunForm(forms.Form):
    algorithm = forms.ModelChoiceField(label=_("Algorithm"), queryset=Algorithm.objects.none(), to_field_name="token")
    assists = forms.BooleanField(
        required=False,
        label=_("Its output assists the readers"),
        help_text=_("One run per study is shown in the aided arm."),
    )

    def __init__(self, *args: object, study: Study, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = Algorithm.objects.exclude(runs__study=study)
        field = self.fields["algorithm"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = choices
