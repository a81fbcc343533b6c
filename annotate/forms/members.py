"""Members of a study."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from annotate.models import Role, Study


class MemberForm(forms.Form):
    username = forms.CharField(max_length=150, label="Name of the account")
    role = forms.ChoiceField(choices=Role.choices, initial=Role.AUDITOR)

    def __init__(self, *args: Any, study: Study, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.study = study

    def clean_username(self) -> User:
        """The account itself. Owners are told whether one of this name exists: they must know whom they let in."""
        name = str(self.cleaned_data["username"])
        user = User.objects.filter(username=name, is_active=True).first()
        if user is None:
            raise forms.ValidationError(
                f"There is no account “{name}”. Whoever runs this Offbeat makes accounts."
            )
        if self.study.memberships.filter(user=user).exists():
            raise forms.ValidationError(f"{name} is a member already; change the role in the table.")
        return user
