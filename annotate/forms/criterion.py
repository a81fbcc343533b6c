"""A criterion, as a researcher enters it."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.utils.text import slugify

from annotate.folder.study_toml import MOST_POINTS
from annotate.kinds import (
    KINDS,
    STRENGTHS,
    ItemKind,
    Kind,
    Measure,
    NoPreference,
    extra_choices,
    strengths,
)
from annotate.models import Criterion, Study
from annotate.readiness import CALLED

from .stored_texts import StoredTexts

if TYPE_CHECKING:
    CriterionModelForm: TypeAlias = StoredTexts[Criterion]
else:
    CriterionModelForm = StoredTexts


# What gives the answers to a criterion their meaning.
MEANING = ("key", "on", "kind", "text", "scale_low", "scale_high", "labels", "choices")
EXTRA = [(choice.value, choice.label) for choice in NoPreference if choice is not NoPreference.TIE]
# A rating measures quality unless somebody says otherwise.
USUAL = "usual"
CLONE_INSTEAD = (
    "People have answered this already, and a change would make their answers mean something else. "
    "Clone the study and change the clone."
)


def _in_one_line(label: str) -> str:
    return " ".join(label.split())


class KindSelect(forms.Select):
    """Marks the kinds with a scale or with bounds, and those asked about one kind of item, so that the page shows
    the fields that each needs only.
    """

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if value in KINDS and KINDS[value].scaled:
            option["attrs"]["data-scale"] = True
        if value in KINDS and KINDS[value].two_sided:
            option["attrs"]["data-sides"] = True
        if value in KINDS and KINDS[value].bounded:
            option["attrs"]["data-bounds"] = True
        if value in KINDS and len(KINDS[value].item_kinds) == 1:
            option["attrs"]["data-on"] = CALLED[KINDS[value].item_kinds[0].value]
        return option


class CriterionForm(CriterionModelForm):
    """A question. `locked`: there are judgments, and what gives them their meaning stays."""

    labels = forms.CharField(
        required=False,
        label="Labels of points",
        widget=forms.Textarea(attrs={"rows": 3, "placeholder": "1 = very poor\n3 = fair\n5 = excellent"}),
        help_text="One a line, for those points that have one.",
    )
    measures = forms.ChoiceField(
        required=False,
        choices=[(USUAL, "As usual for its kind"), ("", "Not used in the audit"), *Measure.choices],
        help_text="What the audit takes the answers for. As usual: ratings and preferences measure quality, "
        "similarity and grouping measure similarity. You may change this at any time.",
    )
    key = forms.CharField(
        required=False,
        max_length=100,
        label="Short name",
        help_text="In exports: letters, digits, - and _. Leave empty to derive it from the text.",
    )
    on = forms.ChoiceField(
        required=False, label="Asked about", choices=[(k.value, CALLED[k.value]) for k in ItemKind]
    )
    kind = forms.ChoiceField(
        label="Kind of answer", widget=KindSelect, choices=[(k.name, k.label.lower()) for k in KINDS.values()]
    )

    points = forms.ChoiceField(
        required=False,
        label="Points",
        choices=[(2 * n + 1, str(2 * n + 1)) for n in STRENGTHS],
        initial=5,
        help_text="From the first much better to the second, with “about the same” between them.",
    )
    choices = forms.MultipleChoiceField(
        required=False,
        label="May also be answered",
        choices=EXTRA,
        initial=[value for value, _ in EXTRA],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Criterion
        fields = [
            "text",
            "kind",
            "on",
            "scale_low",
            "scale_high",
            "labels",
            "choices",
            "measures",
            "required",
            "key",
        ]
        labels = {
            "text": "Question",
            "scale_low": "Scale from",
            "scale_high": "to",
            "required": "Must be answered",
        }
        help_texts = {"required": ""}
        widgets = {"text": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, study: Study, locked: bool = False, **kwargs: Any) -> None:
        criterion = kwargs.get("instance")
        if criterion is not None:
            lines = [f"{point} = {_in_one_line(label)}" for point, label in criterion.labels.items()]
            first = {"labels": "\n".join(lines), "points": 2 * strengths(criterion)[-1] + 1}
            first["choices"] = [choice.value for choice in extra_choices(criterion)]
            kwargs["initial"] = first | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.study, self.locked = study, locked
        self.instance.study = study

    def clean_key(self) -> str:
        key = str(self.cleaned_data["key"]).strip()
        if not key:
            words = slugify(str(self.cleaned_data.get("text", ""))).split("-")[:4]
            key = (
                self.instance.key
                or "-".join(words)[:90]
                or str(self.cleaned_data.get("kind", ""))
                or "question"
            )
            stem, n = key, 1
            while self._others().filter(key=key).exists():
                n += 1
                key = f"{stem}-{n}"
        if self._others().filter(key=key).exists():
            raise forms.ValidationError("Another criterion of this study has this short name.")
        return key

    def _others(self) -> Any:
        return Criterion.objects.filter(study=self.study).exclude(pk=self.instance.pk)

    def clean_labels(self) -> dict[str, str]:
        labels: dict[str, str] = {}
        for line in str(self.cleaned_data["labels"]).splitlines():
            point, equals, label = (part.strip() for part in line.partition("="))
            if line.strip() and not (equals and point and label):
                raise forms.ValidationError(f"Write “point = label”, not “{line.strip()}”.")
            if line.strip():
                labels[point] = label
        stored = self.instance.labels
        return stored if labels == {point: _in_one_line(label) for point, label in stored.items()} else labels

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "kind" in data and "on" in data:
            kind = KINDS[data["kind"]]
            if len(kind.item_kinds) == 1:
                data["on"] = kind.item_kinds[0].value
            elif data["on"] not in kind.item_kinds:
                fitting = " or ".join(CALLED[k.value] for k in kind.item_kinds)
                self.add_error("on", f"This kind of answer is asked about {fitting}.")
            self._clean_scale(kind, data)
            if data.get("measures") == USUAL:
                data["measures"] = kind.measures or ""
        if self.locked and self.instance.pk:
            for name in MEANING:
                if name in data and data[name] != getattr(self.instance, name):
                    self.add_error(name, CLONE_INSTEAD)
        return data

    def _clean_scale(self, kind: Kind, data: dict[str, Any]) -> None:
        data["choices"] = self._choices(data) if kind.two_sided else None
        if kind.two_sided:
            most = (int(data.get("points") or 5) - 1) // 2
            data["labels"] = {}
            # What a folder leaves unsaid is five points.
            stored = self.instance.scale_high
            unsaid = stored is None and most == strengths(Criterion())[-1]
            data["scale_low"], data["scale_high"] = (None, None) if unsaid else (-most, most)
            return
        if not (kind.scaled or kind.bounded):
            # What was typed for another kind is no part of this one.
            data["scale_low"] = data["scale_high"] = None
            data["labels"] = {}
            return
        low, high = data.get("scale_low"), data.get("scale_high")
        for name, point in (("scale_low", low), ("scale_high", high)):
            if point is None and name not in self.errors and not (kind.bounded and low is high is None):
                needed = "Give both, or neither." if kind.bounded else "Needed for this kind of answer."
                self.add_error(name, needed)
        if low is None or high is None:
            return
        if low >= high:
            self.add_error("scale_high", "Higher than where the scale begins.")
        elif kind.bounded:
            data["labels"] = {}
        elif high - low >= MOST_POINTS:
            self.add_error("scale_high", f"At most {MOST_POINTS:,} points.")
        else:
            wrong = [p for p in data.get("labels", {}) if p not in {str(q) for q in range(low, high + 1)}]
            if wrong:
                self.add_error("labels", f"{wrong[0]} is no point of the scale.")

    def _choices(self, data: dict[str, Any]) -> list[str] | None:
        """The extra choices that are wanted; None, as in a folder that says nothing, for all."""
        wanted = data.get("choices") or []
        return None if len(wanted) == len(EXTRA) and self.instance.choices is None else wanted

    def drafted(self) -> Criterion | None:
        """The criterion as far as it can be drawn; None where its kind doesn't stand yet."""
        self.full_clean()
        data = self.cleaned_data
        if {"kind", "on", "scale_low", "scale_high", "labels", "points", "choices"} & set(self.errors):
            return None
        return Criterion(
            text=data.get("text") or "…",
            kind=data["kind"],
            on=data["on"],
            scale_low=data["scale_low"],
            scale_high=data["scale_high"],
            labels=data["labels"],
            choices=data["choices"],
            required=data.get("required", False),
        )
