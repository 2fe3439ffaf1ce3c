from typing import Any

from django import forms

from .actions.freezing import Changes
from .models import Arm, Endpoint, Enrolment, Period, Question, Study

Kind = Question.Kind


class StudyForm(forms.ModelForm[Study]):
    class Meta:
        model = Study
        fields = ["title", "question", "instructions"]
        widgets = {"question": forms.Textarea(attrs={"rows": 3}), "instructions": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "question": "What the study is to find out, in a sentence or two.",
            "instructions": "Readers see these before their first case and may open them at any time.",
        }


class ArmForm(forms.ModelForm[Arm]):
    class Meta:
        model = Arm
        fields = [
            "label",
            "assistance",
            "shows_probability",
            "shows_heatmap",
            "shows_mask",
            "shows_boxes",
            "shows_levels",
        ]
        labels = {
            "assistance": "Assistance by the model",
            "shows_probability": "Show the probability and the operating point",
            "shows_heatmap": "Show the heat map",
            "shows_mask": "Show the outline of what the model segments",
            "shows_boxes": "Show boxes around what the model finds",
            "shows_levels": "Show the vertebrae by name; with their probabilities where the probability is shown",
        }
        help_texts = {"assistance": "An unaided arm shows nothing of the model, in no page and no image."}


class PeriodForm(forms.ModelForm[Period]):
    class Meta:
        model = Period
        fields = ["washout_days"]
        labels = {"washout_days": "Washout before this period, in days"}


class EndpointForm(forms.ModelForm[Endpoint]):
    class Meta:
        model = Endpoint
        fields = ["rank", "metric", "method", "margin"]
        labels = {"margin": "Non-inferiority margin"}
        help_texts = {
            "method": "Tests that pool readers are not offered: they find differences that are not there.",
            "margin": "Between 0 and 1; empty for a test of difference.",
        }


FIELDS_OF_KIND: dict[str, tuple[str, ...]] = {
    Kind.DECISION: (),
    Kind.CONFIDENCE: ("minimum", "maximum", "threshold"),
    Kind.CHOICE: ("choices", "required"),
    Kind.NUMBER: ("minimum", "maximum", "unit", "required"),
    Kind.TEXT: ("required",),
}


class QuestionForm(forms.Form):
    """The fields that this kind of question has; decision and confidence are always required."""

    text = forms.CharField(label="Question", max_length=300)
    help = forms.CharField(label="Help text", max_length=300, required=False)
    minimum = forms.FloatField(label="Smallest value", required=False)
    maximum = forms.FloatField(label="Largest value", required=False)
    threshold = forms.FloatField(
        label="Threshold between no and yes",
        required=False,
        help_text="A yes needs a confidence of at least this much, a no less. Empty: the two need not agree.",
    )
    unit = forms.CharField(max_length=16, required=False, help_text="For example mm or HU.")
    choices = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 5}), required=False, help_text="One choice a line, at least two."
    )
    required = forms.BooleanField(label="An answer is required", required=False, initial=True)

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - {"text", "help", *FIELDS_OF_KIND[kind]}:
            del self.fields[name]

    def clean_choices(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["choices"].splitlines() if line.strip()]


def initial_of(question: Question) -> dict[str, Any]:
    names = ("text", "help", "minimum", "maximum", "threshold", "unit", "required")
    labels = question.choices.values_list("label", flat=True)
    return {name: getattr(question, name) for name in names} | {"choices": "\n".join(labels)}


class EnrolForm(forms.Form):
    username = forms.CharField(label="User name", max_length=150)
    role = forms.ChoiceField(choices=Enrolment.Role.choices, initial=Enrolment.Role.READER)


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=500)


class AmendForm(forms.Form):
    """Everything that may still change after freezing, and why it does."""

    title = forms.CharField(max_length=200)
    question = forms.CharField(label="Clinical question", widget=forms.Textarea(attrs={"rows": 3}))
    instructions = forms.CharField(
        label="Instructions for readers", widget=forms.Textarea(attrs={"rows": 6}), required=False
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("title", "question", "instructions"):
            self.fields[name].initial = getattr(study, name)
        for question in study.questions.all():
            self.fields[f"help_{question.key}"] = forms.CharField(
                label=f"Help text of “{question.text}”", initial=question.help, max_length=300, required=False
            )
        if study.phase == Study.Phase.FROZEN:
            self.add_what_opening_closes(study)
        self.fields["reason"] = forms.CharField(
            label="Reason of the amendment", widget=forms.Textarea(attrs={"rows": 3})
        )

    def add_what_opening_closes(self, study: Study) -> None:
        for period in study.periods.filter(number__gt=1):
            self.fields[f"washout_{period.number}"] = forms.IntegerField(
                label=f"Washout before period {period.number}, in days",
                initial=period.washout_days,
                min_value=0,
                max_value=730,
            )
        for endpoint in study.endpoints.all():
            self.fields[f"rank_{endpoint.position}"] = forms.ChoiceField(
                label=f"Rank of {endpoint.get_metric_display()} ({endpoint.get_method_display()})",
                choices=Endpoint.Rank.choices,
                initial=endpoint.rank,
            )

    def clean(self) -> dict[str, Any]:
        """The words of `actions.amend`."""
        given = super().clean() or self.cleaned_data
        changes = Changes(
            title=given.get("title"),
            question=given.get("question"),
            instructions=given.get("instructions"),
            helps=named(given, "help_"),
            ranks={int(position): rank for position, rank in named(given, "rank_").items()},
            washouts={int(number): days for number, days in named(given, "washout_").items()},
        )
        return {"changes": changes, "reason": given.get("reason", "")}


def named(given: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
