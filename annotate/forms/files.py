"""Uploads."""

from typing import Any

from django import forms


class FilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    """One file or several."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> Any:
        files = data if isinstance(data, list) else [data] if data else []
        if not files and not self.required:
            return []
        return [super(FilesField, self).clean(file, initial) for file in files or [None]]
