"""What researchers enter at the study desk. Each form says its errors at its fields."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.validators import URLValidator
from django.utils.text import slugify

from annotate.folder.study_toml import MOST_POINTS
from annotate.kinds import KINDS, ItemKind, Kind, Measure
from annotate.models import Annotator, Criterion, Role, Study
from annotate.models.study import prolific_names
from annotate.planting import most_taken
from annotate.readiness import CALLED

if TYPE_CHECKING:
    StudyModelForm: TypeAlias = forms.ModelForm[Study]
    CriterionModelForm: TypeAlias = forms.ModelForm[Criterion]
else:
    StudyModelForm = CriterionModelForm = forms.ModelForm

# What gives the answers to a criterion their meaning.
MEANING = ("key", "on", "kind", "text", "scale_low", "scale_high", "labels")
CLONE_INSTEAD = (
    "People have answered this already, and a change would make their answers mean something else. "
    "Clone the study and change the clone."
)


class SlugForm(StudyModelForm):
    """Title and slug; an empty slug is made from the title."""

    slug = forms.SlugField(
        max_length=100,
        required=False,
        label="Short name",
        help_text="In addresses and file names: letters, digits, - and _. Empty: made from the title.",
    )

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"]) or _free_slug(str(self.cleaned_data.get("title", "")))
        if Study.objects.filter(slug=slug).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Another study has this short name.")
        if self.instance.pk and slug != self.instance.slug and self.instance.status != Study.Status.DRAFT:
            raise forms.ValidationError(
                "Invite links name it, so it changes only while the study is a draft."
            )
        return slug


def _free_slug(title: str) -> str:
    stem = slugify(title)[:90].strip("-") or "study"
    slug, n = stem, 1
    while Study.objects.filter(slug=slug).exists():
        n += 1
        slug = f"{stem}-{n}"
    return slug


class TextsForm(SlugForm):
    class Meta:
        model = Study
        fields = ["title", "slug", "seats", "instructions", "consent"]
        labels = {"seats": "Annotators for each item"}
        help_texts = {
            "seats": "Independent people wanted for each item: its seats. You may raise it at any time.",
            "instructions": "Markdown. Shown before the first item, and at hand on every page.",
            "consent": "Markdown. What people agree to before they start; empty: no consent page.",
        }
        widgets = {
            "instructions": forms.Textarea(attrs={"rows": 9}),
            "consent": forms.Textarea(attrs={"rows": 5}),
        }

    def clean_seats(self) -> int:
        seats = int(self.cleaned_data["seats"])
        if seats < 1:
            raise forms.ValidationError("At least one annotator for each item.")
        if self.instance.pk and seats < self.instance.seats:
            item, taken = most_taken(Study.objects.get(pk=self.instance.pk))
            if seats < taken:
                raise forms.ValidationError(
                    f"Item {item} has {taken} annotators already, and what they gave stays: "
                    f"choose {taken} or more."
                )
        return seats


class JourneyForm(StudyModelForm):
    language = forms.ChoiceField(
        required=False, help_text="Of the pages' own words, not of your texts.", label="Language of the pages"
    )

    class Meta:
        model = Study
        fields = ["language", "minutes", "session_items", "break_after", "check_tries"]
        labels = {
            "minutes": "Minutes a visit takes",
            "session_items": "Items in a visit",
            "break_after": "A break after so many items",
            "check_tries": "Tries at the questions on the instructions",
        }
        help_texts = {
            "minutes": "Told before consent. Empty: estimated.",
            "session_items": "0: all there are.",
            "break_after": "0: no breaks.",
            "check_tries": "After so many wrong tries the annotator is thanked and screened out.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type
        field.choices = [("", "the browser's"), *settings.LANGUAGES]

    def clean_minutes(self) -> int | None:
        minutes: int | None = self.cleaned_data["minutes"]
        if minutes == 0:
            raise forms.ValidationError("A visit takes a minute at least; leave it empty for an estimate.")
        return minutes

    def clean_check_tries(self) -> int:
        if self.cleaned_data["check_tries"] < 1:
            raise forms.ValidationError("At least one try.")
        return int(self.cleaned_data["check_tries"])


class CheckForm(forms.Form):
    """A question on the instructions; without a text it is none."""

    text = forms.CharField(label="Question", required=False, max_length=2_000)
    options = forms.CharField(
        label="Answers, one a line",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Put a star before the right one: * Both texts",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        text, lines = data.get("text", ""), data.get("options", "").splitlines()
        options = [line.strip() for line in lines if line.strip(" *")]
        right = [n for n, option in enumerate(options) if option.startswith("*")]
        if options and not text:
            self.add_error("text", "Answers, but no question.")
        if text and len(options) < 2:
            self.add_error("options", "At least two answers, each on a line of its own.")
        elif text and len(right) != 1:
            self.add_error("options", "Put a star before the one answer that is right.")
        elif text:
            plain = [option.lstrip("* ") for option in options]
            data["check"] = {"text": text, "options": plain, "right": right[0]}
        return data


CheckForms = forms.formset_factory(CheckForm, extra=2, max_num=20)


def check_rows(study: Study) -> list[dict[str, str]]:
    """Stored questions as the form shows them."""
    rows = []
    for check in study.checks or []:
        options = [f"{'* ' if n == check.get('right') else ''}{o}" for n, o in enumerate(check["options"])]
        rows.append({"text": check["text"], "options": "\n".join(options)})
    return rows


class PageForm(StudyModelForm):
    class Meta:
        model = Study
        fields = [
            "layout",
            "markup",
            "sync_scroll",
            "allow_skip",
            "allow_flag",
            "allow_comment",
            "edit_minutes",
        ]
        labels = {
            "layout": "Responses stand",
            "markup": "Responses are shown as",
            "sync_scroll": "Boxes of a pair scroll together",
            "allow_skip": "An item may be skipped",
            "allow_flag": "An item may be flagged, with a reason",
            "allow_comment": "An item may be commented on",
            "edit_minutes": "Minutes in which an answer may be changed",
        }
        help_texts = {"sync_scroll": "", "edit_minutes": "0: not at all. Every change is kept as a revision."}


class PanelForm(StudyModelForm):
    """Names of a panel's parameters, and its code for each outcome."""

    NAMES = {"participant": "its participants", "study": "the study", "session": "the visit"}

    class Meta:
        model = Study
        fields = ["return_url", "panel_required"]
        labels = {
            "return_url": "Return address",
            "panel_required": "Only people whom the panel’s link names may take part",
        }
        help_texts = {
            "return_url": "Where annotators go at the end; CODE stands for the completion code. "
            "Empty: the code is only shown.",
            "panel_required": "Others are asked to open the study from the panel’s page.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, what in self.NAMES.items():
            self.fields[f"name_{name}"] = forms.CharField(
                label=f"What the panel's link calls {what}",
                max_length=100,
                required=False,
                initial=self.instance.panel_names.get(name, ""),
            )
        for outcome in Annotator.Outcome:
            self.fields[f"code_{outcome}"] = forms.CharField(
                label=f"Code: {outcome.label.lower().replace('_', ' ')}",
                max_length=200,
                required=False,
                initial=self.instance.completion_codes.get(outcome.value, ""),
            )

    @property
    def names(self) -> list[forms.BoundField]:
        return [self[f"name_{name}"] for name in self.NAMES]

    @property
    def codes(self) -> list[forms.BoundField]:
        return [self[f"code_{outcome}"] for outcome in Annotator.Outcome]

    def clean_return_url(self) -> str:
        url = str(self.cleaned_data["return_url"]).strip()
        if url:
            URLValidator(schemes=["http", "https"], message="An address with https://, or nothing.")(url)
        return url

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        self.instance.panel_names = {
            name: data.get(f"name_{name}") or default for name, default in prolific_names().items()
        }
        codes = {o.value: data.get(f"code_{o}", "") for o in Annotator.Outcome}
        self.instance.completion_codes = {name: code for name, code in codes.items() if code}
        return data

    def save(self, commit: bool = True) -> Study:
        study: Study = super().save(commit=False)
        study.save(update_fields=["return_url", "panel_required", "panel_names", "completion_codes"])
        return study


class KindSelect(forms.Select):
    """Marks the kinds that need a scale, so that the page shows its fields for these only."""

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        if value in KINDS and KINDS[value].scaled:
            option["attrs"]["data-scale"] = True
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
        choices=[("", "nothing the audit needs"), *Measure.choices],
        help_text="What the audit takes the answers for.",
    )
    key = forms.CharField(
        required=False,
        max_length=100,
        label="Short name",
        help_text="In exports: letters, digits, - and _. Empty: made from the text.",
    )
    on = forms.ChoiceField(label="Asked about", choices=[(k.value, CALLED[k.value]) for k in ItemKind])
    kind = forms.ChoiceField(
        label="Kind of answer", widget=KindSelect, choices=[(k.name, k.label.lower()) for k in KINDS.values()]
    )

    class Meta:
        model = Criterion
        fields = ["text", "kind", "on", "scale_low", "scale_high", "labels", "measures", "required", "key"]
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
            lines = [f"{point} = {label}" for point, label in criterion.labels.items()]
            kwargs["initial"] = {"labels": "\n".join(lines), **(kwargs.get("initial") or {})}
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
        return labels

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if "kind" in data and "on" in data:
            kind = KINDS[data["kind"]]
            if data["on"] not in kind.item_kinds:
                fitting = " or ".join(CALLED[k.value] for k in kind.item_kinds)
                self.add_error("on", f"This kind of answer is asked about {fitting}.")
            self._clean_scale(kind, data)
        if self.locked and self.instance.pk:
            for name in sorted(set(MEANING) & set(self.changed_data) - set(self.errors)):
                self.add_error(name, CLONE_INSTEAD)
        return data

    def _clean_scale(self, kind: Kind, data: dict[str, Any]) -> None:
        if not kind.scaled:
            # What was typed for another kind is no part of this one.
            data["scale_low"] = data["scale_high"] = None
            data["labels"] = {}
            return
        low, high = data.get("scale_low"), data.get("scale_high")
        for name, point in (("scale_low", low), ("scale_high", high)):
            if point is None and name not in self.errors:
                self.add_error(name, "Needed for this kind of answer.")
        if low is None or high is None:
            return
        if low >= high:
            self.add_error("scale_high", "Higher than where the scale begins.")
        elif high - low >= MOST_POINTS:
            self.add_error("scale_high", f"At most {MOST_POINTS:,} points.")
        else:
            wrong = [p for p in data.get("labels", {}) if p not in {str(q) for q in range(low, high + 1)}]
            if wrong:
                self.add_error("labels", f"{wrong[0]} is no point of the scale.")

    def drafted(self) -> Criterion | None:
        """The criterion as far as it can be drawn; None where its kind doesn't stand yet."""
        self.full_clean()
        data = self.cleaned_data
        if {"kind", "on", "scale_low", "scale_high", "labels"} & set(self.errors):
            return None
        return Criterion(
            text=data.get("text") or "…",
            kind=data["kind"],
            on=data["on"],
            scale_low=data["scale_low"],
            scale_high=data["scale_high"],
            labels=data["labels"],
            required=data.get("required", False),
        )


class PoolForm(forms.Form):
    """Prompts and responses, pasted or as files, with the columns of a study folder."""

    prompts = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 5, "placeholder": "prompt_id,text\np1,Write about time."}),
    )
    prompts_file = forms.FileField(required=False, label="or a file")
    responses = forms.CharField(
        required=False,
        widget=forms.Textarea(
            attrs={
                "rows": 5,
                "placeholder": "response_id,prompt_id,text,source\nr1,p1,Time is a river.,some-llm",
            }
        ),
    )
    responses_file = forms.FileField(required=False, label="or a file")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(data.get(name) for name in self.fields):
            raise forms.ValidationError("Paste prompts or responses, or choose a file.")
        for name in ("prompts", "responses"):
            if data.get(name, "").strip() and data.get(f"{name}_file"):
                self.add_error(f"{name}_file", "Either paste them or choose a file.")
        return data


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
        help_text="So many more. Empty: a single for every response.",
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


class CloneForm(SlugForm):
    class Meta:
        model = Study
        fields = ["title", "slug"]


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
