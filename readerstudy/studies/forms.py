from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .actions.freezing import Changes
from .hanging import HangingError, hanging_of, read, written
from .models import Arm, Endpoint, Enrolment, Period, Question, Rules, Study
from .outline import LEVELS

Kind = Question.Kind


class StudyForm(forms.ModelForm[Study]):
    class Meta:
        model = Study
        fields = ["title", "question", "instructions"]
        labels = {"title": _("Title")}
        widgets = {"question": forms.Textarea(attrs={"rows": 3}), "instructions": forms.Textarea(attrs={"rows": 6})}
        help_texts = {
            "question": _("What the study is to find out, in a sentence or two."),
            "instructions": _("Readers see these before their first case and may open them at any time."),
        }


class ArmForm(forms.ModelForm[Arm]):
    class Meta:
        model = Arm
        fields = [
            "label",
            "assistance",
            "shows_probability",
            "shows_heatmap",
            "heatmap_at_once",
            "shows_mask",
            "shows_boxes",
            "shows_levels",
            "unaided_share",
            "sham_share",
        ]
        labels = {
            "label": _("Label"),
            "assistance": _("Assistance by the model"),
            "shows_probability": _("Show the probability and the operating point"),
            "shows_heatmap": _("Show the heat map"),
            "heatmap_at_once": _("The heat map is there at once"),
            "shows_mask": _("Show the outline of what the model segments"),
            "shows_boxes": _("Show boxes around what the model finds"),
            "shows_levels": _("Show the vertebrae by name; with their probabilities where the probability is shown"),
            "unaided_share": _("Share of cases that stay unaided"),
            "sham_share": _("Share of cases with planned wrong output"),
        }
        help_texts = {"assistance": _("An unaided arm shows nothing of the model, in no page and no image.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("unaided_share", "sham_share"):
            self.fields[name].required = False

    def clean_unaided_share(self) -> float:
        return self.cleaned_data["unaided_share"] or 0

    def clean_sham_share(self) -> float:
        return self.cleaned_data["sham_share"] or 0


class PeriodForm(forms.ModelForm[Period]):
    class Meta:
        model = Period
        fields = ["washout_days"]
        labels = {"washout_days": _("Washout before this period, in days")}


class EndpointForm(forms.ModelForm[Endpoint]):
    class Meta:
        model = Endpoint
        fields = ["rank", "metric", "method", "margin"]
        labels = {
            "rank": _("Rank"),
            "metric": _("Metric"),
            "method": _("Method"),
            "margin": _("Non-inferiority margin"),
        }
        help_texts = {
            "method": _("Tests that pool readers are not offered: they find differences that are not there."),
            "margin": _("Between 0 and 1; empty for a test of difference."),
        }


COMMON = ("text", "help", "asked_after")
FIELDS_OF_KIND: dict[str, tuple[str, ...]] = {
    Kind.DECISION: (),
    Kind.CONFIDENCE: ("minimum", "maximum", "threshold", "scale", "choices"),
    Kind.CHOICE: ("choices", "required"),
    Kind.CHOICES: ("choices", "required"),
    Kind.GRID: ("items", "choices", "required"),
    Kind.LEVEL: ("choices", "required"),
    Kind.NUMBER: ("minimum", "maximum", "unit", "required"),
    Kind.MARKS: ("minimum", "maximum"),
    Kind.TEXT: ("required",),
}
BEGINNING: dict[str, dict[str, Any]] = {
    Kind.CONFIDENCE: {"minimum": 0, "maximum": 100, "threshold": 50},
    Kind.MARKS: {"minimum": 0, "maximum": 100},
    Kind.LEVEL: {"choices": "\n".join(LEVELS)},
    Kind.GRID: {"items": "\n".join(LEVELS), "choices": "0\n1\n2\n3"},
}


class QuestionForm(forms.Form):
    """The fields that this kind of question has; decision, confidence and marks are always asked for."""

    text = forms.CharField(label=_("Question"), max_length=300)
    help = forms.CharField(label=_("Help text"), max_length=300, required=False)
    minimum = forms.FloatField(label=_("Smallest value"), required=False)
    maximum = forms.FloatField(label=_("Largest value"), required=False)
    threshold = forms.FloatField(
        label=_("Threshold between no and yes"),
        required=False,
        help_text=_("A yes needs a confidence of at least this much, a no less. Empty: the two need not agree."),
    )
    scale = forms.ChoiceField(label=_("Scale"), choices=Question.Scale.choices, required=False)
    unit = forms.CharField(label=_("Unit"), max_length=16, required=False, help_text=_("For example mm or HU."))
    items = forms.CharField(
        label=_("Rows"),
        widget=forms.Textarea(attrs={"rows": 8}),
        required=False,
        help_text=_("One row of the grid a line: vertebrae or features."),
    )
    choices = forms.CharField(
        label=_("Answers to choose from"),
        widget=forms.Textarea(attrs={"rows": 5}),
        required=False,
        help_text=_("One a line, at least two. On a scale of points: words for each point, or nothing."),
    )
    required = forms.BooleanField(label=_("An answer is required"), required=False, initial=True)
    asked_after = forms.MultipleChoiceField(
        label=_("Asked only after"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Answers of one earlier question; none: asked in every case."),
    )

    def __init__(self, *args: Any, kind: str, study: Study, before: int | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in set(self.fields) - {*COMMON, *FIELDS_OF_KIND[kind]}:
            del self.fields[name]
        self.answers = answers_before(study, before)
        asked_after = self.fields["asked_after"]
        assert isinstance(asked_after, forms.MultipleChoiceField)
        asked_after.choices = [(code, branch.label) for code, branch in self.answers.items()]
        if not self.answers:
            del self.fields["asked_after"]

    def clean_choices(self) -> list[str]:
        return lines_of(self.cleaned_data["choices"])

    def clean_items(self) -> list[str]:
        return lines_of(self.cleaned_data["items"])

    def clean(self) -> dict[str, Any]:
        """The words of QuestionOutline."""
        given = super().clean() or self.cleaned_data
        branches = [self.answers[code] for code in given.pop("asked_after", ())]
        if len({branch.key for branch in branches}) > 1:
            self.add_error("asked_after", _("Choose answers of one question alone."))
        if "scale" in given:
            given["scale"] = given["scale"] or Question.Scale.SLIDER
        if branches:
            given |= {"depends_on": branches[0].key, "depends_on_values": [branch.value for branch in branches]}
        return given


@dataclass(frozen=True)
class Branch:
    """One answer after which another question may be asked."""

    key: str
    value: bool | str
    label: str


def answers_before(study: Study, position: int | None) -> dict[str, Branch]:
    questions = study.questions.filter(kind__in=[Kind.DECISION, Kind.CHOICE, Kind.CHOICES, Kind.LEVEL])
    earlier = questions if position is None else questions.filter(position__lt=position)
    found = {}
    for question in earlier.prefetch_related("choices"):
        options: list[tuple[bool | str, str]] = [(choice.value, choice.label) for choice in question.choices.all()]
        if question.kind == Kind.DECISION:
            options = [(True, gettext("Yes")), (False, gettext("No"))]
        for value, label in options:
            found[f"{question.key}={value}"] = Branch(question.key, value, f"{question.text} {label}")
    return found


def lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def initial_of(question: Question) -> dict[str, Any]:
    names = ("text", "help", "minimum", "maximum", "threshold", "unit", "required", "scale")
    lists = {
        "choices": "\n".join(question.choices.values_list("label", flat=True)),
        "items": "\n".join(question.items.values_list("label", flat=True)),
    }
    after = question.depends_on.key if question.depends_on else ""
    asked_after = [f"{after}={value}" for value in question.depends_on_values]
    return {name: getattr(question, name) for name in names} | lists | {"asked_after": asked_after}


class RulesForm(forms.Form):
    """How readers sit and what they may do."""

    hanging = forms.CharField(
        label=_("Hanging protocol"),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        help_text=_("A line for each row of views: T1W, sagittal, bone | T2W, sagittal. Empty: as the case comes."),
    )
    unreadable_reasons = forms.CharField(
        label=_("Reasons for a case that is not readable"),
        widget=forms.Textarea(attrs={"rows": 4}),
        required=False,
        help_text=_("One a line. Empty: every case must be answered."),
    )
    may_revise = forms.BooleanField(label=_("Readers may go back to the case before, with a reason"), required=False)
    break_minutes = forms.IntegerField(label=_("Minutes until a break is offered"), min_value=5, max_value=240)
    display_check = forms.BooleanField(label=_("A display check opens each sitting"), required=False)
    training_pass_mark = forms.FloatField(
        label=_("Pass mark of the training"),
        min_value=0,
        max_value=1,
        required=False,
        help_text=_("Share of the training cases, between 0 and 1. Empty: no training is asked for."),
    )

    def clean_hanging(self) -> dict[str, Any] | None:
        try:
            hanging = read(self.cleaned_data["hanging"])
        except HangingError as error:
            raise forms.ValidationError(str(error)) from error
        return hanging.to_document() if hanging else None

    def clean_unreadable_reasons(self) -> list[str]:
        return lines_of(self.cleaned_data["unreadable_reasons"])


def initial_rules(rules: Rules) -> dict[str, Any]:
    return {
        "hanging": written(hanging_of(rules.hanging)) if rules.hanging else "",
        "unreadable_reasons": "\n".join(rules.unreadable_reasons),
        "may_revise": rules.may_revise,
        "break_minutes": rules.break_minutes,
        "display_check": rules.display_check,
        "training_pass_mark": rules.training_pass_mark,
    }


class EnrolForm(forms.Form):
    username = forms.CharField(label=_("User name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=Enrolment.Role.choices, initial=Enrolment.Role.READER)


class ReasonForm(forms.Form):
    reason = forms.CharField(label=_("Reason"), max_length=500)


class AmendForm(forms.Form):
    """Everything that may still change after freezing, and why it does."""

    title = forms.CharField(label=_("Title"), max_length=200)
    question = forms.CharField(label=_("Clinical question"), widget=forms.Textarea(attrs={"rows": 3}))
    instructions = forms.CharField(
        label=_("Instructions for readers"), widget=forms.Textarea(attrs={"rows": 6}), required=False
    )

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("title", "question", "instructions"):
            self.fields[name].initial = getattr(study, name)
        for question in study.questions.all():
            self.fields[f"help_{question.key}"] = forms.CharField(
                label=gettext("Help text of “%(question)s”") % {"question": question.text},
                initial=question.help,
                max_length=300,
                required=False,
            )
        if study.phase == Study.Phase.FROZEN:
            self.add_what_opening_closes(study)
        self.fields["reason"] = forms.CharField(
            label=_("Reason of the amendment"), widget=forms.Textarea(attrs={"rows": 3})
        )

    def add_what_opening_closes(self, study: Study) -> None:
        for period in study.periods.filter(number__gt=1):
            self.fields[f"washout_{period.number}"] = forms.IntegerField(
                label=gettext("Washout before period %(number)s, in days") % {"number": period.number},
                initial=period.washout_days,
                min_value=0,
                max_value=730,
            )
        for endpoint in study.endpoints.all():
            self.fields[f"rank_{endpoint.position}"] = forms.ChoiceField(
                label=gettext("Rank of %(metric)s (%(method)s)")
                % {"metric": endpoint.get_metric_display(), "method": endpoint.get_method_display()},
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
