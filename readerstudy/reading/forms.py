from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from .sight import Asked
from .sources import LARGEST_FILE
from .submissions import Display


class CorrectionForm(forms.Form):
    """Which reading, which answers, why. The reading is named as its reader would name it."""

    reader = forms.CharField(max_length=40, label=_("Reader"), help_text=_("The reader's code."))
    period = forms.IntegerField(min_value=1, label=_("Period"))
    position = forms.IntegerField(min_value=1, label=_("Case number in the period"), help_text=_("As in “12 / 300”."))
    reason = forms.CharField(max_length=2000, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))

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
        return {key: plain(value) for key, value in given.items() if value not in (None, "", [])}


DECIDED = {"decided-yes": True, "decided-no": False}


def plain(value: object) -> object:
    return DECIDED.get(value, value) if isinstance(value, str) else value


def field_for(question: Asked) -> forms.Field:
    match question.kind:
        case "decision":
            words = {option.value: option.label for option in question.choices}
            choices = [("decided-no", words[False]), ("decided-yes", words[True])]
        case "choice" | "level":
            choices = [(str(option.value), option.label) for option in question.choices]
        case "choices":
            offered = [(str(option.value), option.label) for option in question.choices]
            return forms.MultipleChoiceField(required=False, label=question.text, choices=offered)
        case "grid" | "marks":
            return forms.JSONField(required=False, label=question.text, help_text=_("As in the export of the data."))
        case "text":
            return forms.CharField(required=False, label=question.text)
        case _:
            return forms.FloatField(required=False, label=question.text)
    return forms.ChoiceField(required=False, label=question.text, choices=[("", _("unchanged")), *choices])


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=2000, label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}))


class ExistingAnswersForm(forms.Form):
    """A file of readers' answers, and how it is to be read."""

    file = forms.FileField(
        label=_("CSV file"), help_text=_("Columns reader, seniority, arm, case, rating, decision, seconds.")
    )
    arm = forms.CharField(
        max_length=60, required=False, label=_("Arm of all rows"), help_text=_("Where the file has no column arm.")
    )
    seniority = forms.CharField(
        max_length=16,
        required=False,
        label=_("Seniority of all readers"),
        help_text=_("Where the file has no column seniority."),
    )
    columns = forms.CharField(
        required=False,
        label=_("Names of columns"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line where the file calls them otherwise, such as reader=Reader ID."),
    )
    new_cases = forms.BooleanField(
        required=False,
        label=_("Add cases the study lacks"),
        help_text=_("Without images; the file then has a column truth."),
    )
    simulated = forms.BooleanField(required=False, label=_("The readers are simulated"))

    def clean_file(self) -> UploadedFile:
        file: UploadedFile = self.cleaned_data["file"]
        if file.size is not None and file.size > LARGEST_FILE:
            raise forms.ValidationError(_("The file is larger than %(most)d MiB.") % {"most": LARGEST_FILE >> 20})
        return file

    def clean_columns(self) -> dict[str, str]:
        lines = [line.strip() for line in self.cleaned_data["columns"].splitlines() if line.strip()]
        if bad := [line for line in lines if "=" not in line]:
            raise forms.ValidationError(_("“%(line)s” must look like reader=Reader ID.") % {"line": bad[0]})
        return {name.strip(): column.strip() for name, column in (line.split("=", 1) for line in lines)}

    def source(self) -> dict[str, dict[str, str]]:
        """The reading of the file as plain data, so that the confirmation can carry it signed."""
        constants = {name: self.cleaned_data[name].strip() for name in ("arm", "seniority")}
        return {
            "columns": self.cleaned_data["columns"],
            "constants": {name: value for name, value in constants.items() if value},
        }


UNREAD = {"required": _("Please type the digits that you can read; type 0 where you see none.")}


class DisplayForm(forms.Form):
    """What the page measured and the reader stated. The faintest step read is 0 where none was."""

    dark = forms.IntegerField(min_value=0, max_value=100, widget=forms.HiddenInput, error_messages=UNREAD)
    bright = forms.IntegerField(min_value=0, max_value=100, widget=forms.HiddenInput, error_messages=UNREAD)
    width = forms.IntegerField(min_value=1, max_value=100_000, widget=forms.HiddenInput)
    height = forms.IntegerField(min_value=1, max_value=100_000, widget=forms.HiddenInput)
    ratio = forms.FloatField(min_value=0.1, max_value=20, widget=forms.HiddenInput)
    ambient = forms.ChoiceField(
        label=_("Light in the room"),
        choices=[("dark", _("Dark")), ("dim", _("Dim")), ("bright", _("Bright, as in an office"))],
        widget=forms.RadioSelect,
        error_messages={"required": _("Please say how light the room is.")},
    )

    def found(self) -> Display:
        return Display(**self.cleaned_data)
