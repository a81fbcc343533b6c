"""Saving a form unchanged changes nothing."""

from typing import TYPE_CHECKING, Any

from django import forms

from annotate.texts import one_newline

if TYPE_CHECKING:
    from django.db.models import Model

    Base = forms.ModelForm[Model]
else:
    Base = object


class StoredTexts(Base):
    """A text that differs from the stored one by white space around it alone stays as it is stored.

    Django strips what is sent; a study folder may bring texts that end in a newline.
    """

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for name, value in data.items():
            stored = getattr(self.instance, name, None)
            if isinstance(stored, str) and isinstance(value, str) and one_newline(stored).strip() == value:
                data[name] = stored
        return data
