"""Items made from the pool or written by hand."""

from math import ceil
from typing import Any

from django import forms

from annotate.models import Item, Study
from annotate.planting import Wanted, pool_sizes

from .seats import too_few_seats

MOST_EACH = 100_000


class PlanForm(forms.Form):
    """Items for all that the study asks, how many people see each, and what that costs."""

    single = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=MOST_EACH,
        label="Single responses per prompt",
        help_text="Leave empty for all of them.",
    )
    pair = forms.IntegerField(min_value=0, max_value=MOST_EACH, label="Pairs per prompt")
    set = forms.IntegerField(min_value=0, max_value=MOST_EACH, label="Sets per prompt")
    size = forms.IntegerField(min_value=3, max_value=50, label="Responses in a set")
    seats = forms.IntegerField(
        min_value=1,
        max_value=32_767,
        label="Annotators for each item",
        help_text="Independent people wanted for each item. You may raise it at any time.",
    )
    pay = forms.FloatField(
        min_value=0, max_value=10_000, initial=12, label="Pay an hour", help_text="In your currency."
    )

    def __init__(self, data: Any = None, *, study: Study) -> None:
        self.study = study
        self.asked = {c.on for c in study.criteria.all()}
        usual = max(pool_sizes(study).values(), default=0)
        size = min(5, max(usual, 3))
        # Each response in about two pairs, and in about one set.
        each = {"pair": max(usual, 1), "set": max(ceil(usual / size), 1), "size": size}
        rows = study.items.filter(role=Item.Role.MAIN).order_by()
        each |= dict.fromkeys(rows.values_list("kind", flat=True).distinct(), 0)
        super().__init__(data, initial=each | {"seats": study.seats})
        for name, kind in {"single": "single", "pair": "pair", "set": "set", "size": "set"}.items():
            if kind not in self.asked:
                del self.fields[name]

    def clean_seats(self) -> int:
        seats = int(self.cleaned_data["seats"])
        if seats < self.study.seats and (problem := too_few_seats(self.study, seats)):
            raise forms.ValidationError(problem)
        return seats

    @property
    def orders(self) -> list[Wanted]:
        data, orders = self.cleaned_data, []
        if "single" in self.asked:
            orders.append(Wanted("singles", data["single"]))
        if "pair" in self.asked:
            orders.append(Wanted("random", data["pair"]))
        if "set" in self.asked:
            orders.append(Wanted("sets", data["set"], data["size"]))
        return orders


class DesignForm(forms.Form):
    """Items to be made from the pool of each prompt."""

    HOW = [
        ("singles", "singles: one response a screen"),
        ("random", "pairs at random"),
        ("equal", "pairs of equal quality"),
        ("sets", "sets"),
    ]
    how = forms.ChoiceField(label="Make", choices=HOW, widget=forms.RadioSelect, initial="singles")
    each = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=100_000,
        label="For each prompt",
        help_text="How many to add per prompt. Leave empty for one item per response.",
    )
    size = forms.IntegerField(
        required=False, min_value=3, max_value=50, initial=5, label="Responses in a set"
    )
    delta = forms.FloatField(
        required=False,
        min_value=0,
        initial=0.5,
        label="Mean ratings differ by at most",
        help_text="For pairs of equal quality: from the ratings that this study has.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        how = data.get("how")
        if how != "singles" and not data.get("each") and "each" not in self.errors:
            self.add_error("each", "How many for each prompt?")
        if how == "sets" and not data.get("size") and "size" not in self.errors:
            self.add_error("size", "How many responses in a set?")
        if how == "equal" and data.get("delta") is None and "delta" not in self.errors:
            self.add_error("delta", "How far may they differ?")
        return data


class PlantForm(forms.Form):
    """A practice or gold item written by hand; its expected answer is given by answering it."""

    role = forms.ChoiceField(
        choices=[("gold", "gold: checks attention"), ("practice", "practice: teaches")], label="Role"
    )
    prompt = forms.CharField(widget=forms.Textarea(attrs={"rows": 2}), label="Prompt")
    explain = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        label="Explanation",
        help_text="Practice shows it once answered.",
    )
    tolerance = forms.IntegerField(
        min_value=0,
        max_value=100,
        initial=0,
        label="Points of a scale next to the expected one that pass too",
    )

    def __init__(self, *args: Any, size: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.size = size
        for n in range(1, size + 1):
            self.fields[f"text_{n}"] = forms.CharField(
                widget=forms.Textarea(attrs={"rows": 3}),
                label=f"Response {n}" if size > 1 else "Response",
                help_text="An attention check says inside it what to answer." if n == 1 else "",
            )

    @property
    def texts(self) -> list[forms.BoundField]:
        return [self[f"text_{n}"] for n in range(1, self.size + 1)]


class RepeatForm(forms.Form):
    share = forms.IntegerField(
        min_value=1,
        max_value=100,
        initial=10,
        label="Percent of the main items to show twice",
        help_text="Each annotator's second look shows the sides of a pair swapped.",
    )
