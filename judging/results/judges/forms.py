from django import forms

from judging.results.judges.report import judges


class ProbeForm(forms.Form):
    scorer = forms.ChoiceField(label="Judge", choices=lambda: [(name, name) for name in judges()])
    responses = forms.IntegerField(label="Responses or pairs", min_value=2, max_value=100_000, initial=100)
    repeats = forms.IntegerField(label="Calls for each", min_value=2, max_value=20, initial=3)
    call_budget = forms.IntegerField(required=False, min_value=1, label="Limit on calls")
