from django import forms

from readerstudy.studies.models import Study

from .models import Algorithm


class AlgorithmForm(forms.Form):
    card = forms.FileField(
        label="Card (card.json)", help_text="Name, version, labels, operating point, digest of the weights."
    )
    weights = forms.FileField(
        label="Weights (weights.safetensors)", help_text="Only safetensors; pickled weights are refused."
    )


class RunForm(forms.Form):
    algorithm = forms.ModelChoiceField(queryset=Algorithm.objects.none(), to_field_name="token")
    assists = forms.BooleanField(
        required=False, label="Its output assists the readers", help_text="One run per study is shown in the aided arm."
    )

    def __init__(self, *args: object, study: Study, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        choices = Algorithm.objects.exclude(runs__study=study)
        field = self.fields["algorithm"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = choices
