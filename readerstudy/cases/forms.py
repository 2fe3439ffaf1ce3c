from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

LARGEST_MANIFEST = 50 << 20


class ManifestForm(forms.Form):
    manifest = forms.FileField(
        label=_("Manifest (CSV)"),
        help_text=_(
            "Columns case, patient, file; if you have them series, truth (0 or 1), site, cleared; any further column "
            "is kept as a covariate."
        ),
    )

    def clean_manifest(self) -> bytes:
        upload = self.cleaned_data["manifest"]
        if upload.size > LARGEST_MANIFEST:
            raise forms.ValidationError(_("The manifest is larger than 50 MB; is it a CSV file?"))
        content: bytes = upload.read()
        return content


class ImportForm(ManifestForm):
    archive = forms.FileField(
        required=False,
        label=_("Images (ZIP or tar.gz)"),
        help_text=_("PNG, JPEG, TIFF, DICOM or NIfTI files; the manifest gives their paths inside the archive."),
    )
    folder = forms.CharField(
        required=False,
        max_length=500,
        label=_("or a folder of the server"),
        help_text=_("Only folders that the administrator has opened for imports."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.DICOMWEB_SERVERS:
            names = [(name, name) for name in settings.DICOMWEB_SERVERS]
            self.fields["server"] = forms.ChoiceField(
                choices=[("", _("no server")), *names],
                required=False,
                label=_("or a DICOMweb server"),
                help_text=_("The column file then holds Study Instance UIDs, or accession/ and the accession number."),
            )
        if settings.IMPORT_FOLDERS:
            places = ", ".join(map(str, settings.IMPORT_FOLDERS))
            self.fields["folder"].help_text = _("A folder inside %(places)s.") % {"places": places}
        else:
            del self.fields["folder"]

    def clean_folder(self) -> Path | None:
        text = self.cleaned_data["folder"]
        if not text:
            return None
        folder = Path(text).resolve()
        inside = any(folder.is_relative_to(allowed.resolve()) for allowed in settings.IMPORT_FOLDERS)
        # One answer for what is missing and what is forbidden: the form must not tell what lies on the server.
        if not inside or not folder.is_dir():
            raise forms.ValidationError(_("There is no such folder among those opened for imports."))
        return folder

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        given = [name for name in ("archive", "folder", "server") if data.get(name)]
        if len(given) != 1 and not self.errors:
            if "server" in self.fields:
                raise forms.ValidationError(_("Give one of an archive, a folder of the server, and a DICOMweb server."))
            raise forms.ValidationError(_("Give either an archive or a folder of the server."))
        return data
