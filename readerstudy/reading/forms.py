from typing import Any

from django import forms

from .sight import Asked


class CorrectionForm(forms.Form):
    """Which reading, which answers, why. The reading is named as its reader would name it."""

    reader = forms.CharField(max_length=40, label="Reader", help_text="The reader's code.")
    period = forms.IntegerField(min_value=1, label="Period")
    position = forms.IntegerField(min_value=1, label="Case number in the period", help_text="As in “12 / 300”.")
    reason = forms.CharField(max_length=2000, label="Reason", widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, questions: tuple[Asked, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.questions = questions
        for question in questions:
            self.fields[self.name_of(question)] = field_for(question)
        self.order_fields(["reader", "period", "position", *map(self.name_of, questions), "reason"])

    @staticmethod
    def name_of(question: Asked) -> str:
        return f"answer-{question.key}"

    def values(self) -> dict[str, object]:
        """The answers that were filled in; those left empty stay as they are."""
        given = {question.key: self.cleaned_data.get(self.name_of(question)) for question in self.questions}
        return {key: DECIDED.get(value, value) for key, value in given.items() if value not in (None, "")}


DECIDED: dict[object, object] = {"decided-yes": True, "decided-no": False}


def field_for(question: Asked) -> forms.Field:
    match question.kind:
        case "decision":
            words = {option.value: option.label for option in question.choices}
            choices = [("decided-no", words[False]), ("decided-yes", words[True])]
        case "choice":
            choices = [(str(option.value), option.label) for option in question.choices]
        case "text":
            return forms.CharField(required=False, label=question.text)
        case _:
            return forms.FloatField(required=False, label=question.text)
    return forms.ChoiceField(required=False, label=question.text, choices=[("", "unchanged"), *choices])


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=2000, label="Reason", widget=forms.Textarea(attrs={"rows": 2}))
