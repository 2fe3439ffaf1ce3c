from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

NAMES = {
    "crossover": _("Crossover: every case in both arms, half of the cases unaided first"),
    "crossed": _("Crossed: one arm in each period, in the order of the arms"),
    "sequential": _("Sequential: every case once, the own answer first, then the output"),
}


class DrawForm(forms.Form):
    design = forms.ChoiceField(label=_("Design"))
    cases = forms.IntegerField(
        required=False,
        min_value=1,
        label=_("Cases to be read"),
        widget=forms.NumberInput(attrs={"placeholder": _("all")}),
        help_text=_(
            "Leave it empty, and every reader reads all cases. A number draws that many from the same seed, "
            "positive and negative in proportion, at least one of each; every reader reads the same ones."
        ),
    )
    training = forms.CharField(
        required=False,
        label=_("Training cases"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One case a line. They come first, with feedback, and are no part of the study."),
    )
    seed = forms.RegexField(
        r"^\s*([0-9a-fA-F]{32})?\s*$",
        required=False,
        label=_("Seed"),
        help_text=_("Leave it empty, and 128 random bits are taken and stored. 32 hexadecimal digits repeat a draw."),
        error_messages={"invalid": _("A seed has 32 hexadecimal digits, or stays empty.")},
    )

    def __init__(self, *args: Any, designs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        design = self.fields["design"]
        assert isinstance(design, forms.ChoiceField)
        design.choices = [(name, NAMES[name]) for name in designs]

    def clean_training(self) -> list[str]:
        lines = [line.strip() for line in self.cleaned_data["training"].splitlines()]
        return list(dict.fromkeys(filter(None, lines)))
