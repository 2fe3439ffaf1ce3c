from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from .actions import MEANING
from .queries import Completeness


class LockForm(forms.Form):
    """The signature: a reason for every reader with missing readings, the meaning, the password again."""

    def __init__(self, *args: Any, incomplete: Sequence[Completeness], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Named by the reader: somebody may finish between the page and its answer, and no reason may slip to another.
        self.codes = {f"reason-{reader.token}": reader.code for reader in incomplete}
        for reader in incomplete:
            self.fields[f"reason-{reader.token}"] = forms.CharField(
                max_length=500,
                label=_("Why %(number)s readings of %(code)s are missing")
                % {"number": reader.missing, "code": reader.code},
            )
        self.fields["agrees"] = forms.BooleanField(label=_(MEANING))
        self.fields["password"] = forms.CharField(
            label=_("Your password"),
            widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
            help_text=_("It signs the lock in your name."),
        )

    def reasons(self) -> dict[str, str]:
        return {code: self.cleaned_data[name] for name, code in self.codes.items()}
