"""Saving a form unchanged changes nothing."""

from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.db.models import Model

from annotate.texts import one_newline

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    from django.forms import ModelForm
else:

    class ModelForm(forms.ModelForm):
        """Subscripted for its type alone."""

        def __class_getitem__(cls, model: Any) -> Any:
            return cls


class StoredTexts(ModelForm[M]):
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
