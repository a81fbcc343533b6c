"""Prompts and responses, as they come."""

import io
from typing import IO, Any

from django import forms

from annotate.folder.unpack import Upload

from .files import FilesField, FilesInput


class Pasted:
    """Pasted lines, as a file that somebody sent."""

    def __init__(self, text: str) -> None:
        rows = text.strip()
        self.name: str | None = f"pasted.{'jsonl' if rows.startswith(('{', '[')) else 'csv'}"
        self.file: IO[bytes] = io.BytesIO(f"{rows}\n".encode())


class PoolForm(forms.Form):
    sent = FilesField(
        required=False,
        label="Drop files here, or choose them",
        widget=FilesInput(attrs={"class": "drop"}),
        help_text="A table (CSV, Excel, JSON, JSON Lines, Parquet), other tools’ files, or a .zip of a folder.",
    )
    pasted = forms.CharField(
        required=False,
        label="Or paste lines",
        widget=forms.Textarea(
            attrs={
                "rows": 4,
                "placeholder": "prompt,response,model\nWrite about time.,Time is a river.,some-llm",
            }
        ),
        help_text="With a line of column names first, or one JSON object a line.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and not data.get("sent") and not data.get("pasted"):
            raise forms.ValidationError("Choose a file, or paste some lines.")
        return data

    @property
    def uploads(self) -> list[Upload]:
        pasted = self.cleaned_data["pasted"]
        return [*self.cleaned_data["sent"], *([Pasted(pasted)] if pasted else [])]
