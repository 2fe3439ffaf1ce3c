from typing import Any

from django import forms

NAMES = {
    "crossover": "Crossover: every case in both arms, half of the cases unaided first",
    "crossed": "Crossed: one arm in each period, in the order of the arms",
}


class DrawForm(forms.Form):
    design = forms.ChoiceField(label="Design")
    seed = forms.RegexField(
        r"^\s*([0-9a-fA-F]{32})?\s*$",
        required=False,
        label="Seed",
        help_text="Leave it empty, and 128 random bits are taken and stored. 32 hexadecimal digits repeat a draw.",
        error_messages={"invalid": "A seed has 32 hexadecimal digits, or stays empty."},
    )

    def __init__(self, *args: Any, designs: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        design = self.fields["design"]
        assert isinstance(design, forms.ChoiceField)
        design.choices = [(name, NAMES[name]) for name in designs]
