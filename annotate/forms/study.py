"""A study's texts, journey, pages and panel, and its clone."""

from typing import TYPE_CHECKING, Any, TypeAlias

from django import forms
from django.conf import settings
from django.core.validators import URLValidator
from django.utils.text import slugify

from annotate.models import Annotator, Study
from annotate.models.study import prolific_names
from annotate.study_templates import TEMPLATES, Template

from .seats import too_few_seats
from .stored_texts import StoredTexts

if TYPE_CHECKING:
    StudyModelForm: TypeAlias = StoredTexts[Study]
else:
    StudyModelForm = StoredTexts


class SlugForm(StudyModelForm):
    """Title and slug; an empty slug is made from the title."""

    slug = forms.SlugField(
        max_length=100,
        required=False,
        label="Short name",
        help_text="In addresses and file names: letters, digits, - and _. Leave empty to derive it from the title.",
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


class NewStudyForm(SlugForm):
    template = forms.ChoiceField(
        required=False,
        label="Begin with",
        widget=forms.RadioSelect,
        choices=[(template.name, template.label) for template in TEMPLATES.values()],
        initial=next(iter(TEMPLATES)),
        help_text="Questions, instructions and settings that you can change.",
    )

    class Meta:
        model = Study
        fields = ["title", "slug"]
        widgets = {"title": forms.TextInput(attrs={"autofocus": True})}

    def clean_template(self) -> Template:
        return TEMPLATES[self.cleaned_data["template"] or "empty"]


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
        fewer = self.instance.pk and seats < self.instance.seats
        if fewer and (problem := too_few_seats(self.instance, seats)):
            raise forms.ValidationError(problem)
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
            "minutes": "Shown before consent. Leave empty to have it estimated.",
            "session_items": "0: all there are.",
            "break_after": "0: no breaks.",
            "check_tries": "After so many wrong tries the annotator is thanked and screened out.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["language"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for the type
        stored = self.instance.language
        # A study folder may name a language whose words the pages don't have.
        other = [(stored, stored)] if stored and stored not in dict(settings.LANGUAGES) else []
        field.choices = [("", "the browser's"), *settings.LANGUAGES, *other]

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
            "require_reading",
            "allow_skip",
            "allow_flag",
            "allow_comment",
            "edit_minutes",
        ]
        labels = {
            "layout": "Responses stand",
            "markup": "Responses are shown as",
            "sync_scroll": "Boxes of a pair scroll together",
            "require_reading": "Every response is to be read to its end",
            "allow_skip": "An item may be skipped",
            "allow_flag": "An item may be flagged, with a reason",
            "allow_comment": "An item may be commented on",
            "edit_minutes": "Minutes in which an answer may be changed",
        }
        help_texts = {
            "sync_scroll": "",
            "require_reading": "A page is submitted once the end of each response was on the screen. "
            "It may still be skipped.",
            "edit_minutes": "0: not at all. Every change is kept as a revision.",
        }


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
            "Leave empty to only show the code.",
            "panel_required": "Others are asked to open the study from the panel’s page.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, what in self.NAMES.items():
            self.fields[f"name_{name}"] = forms.CharField(
                label=f"What the panel's link calls {what}",
                max_length=200,
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
        if url and url != self.instance.return_url:
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


class CloneForm(SlugForm):
    class Meta:
        model = Study
        fields = ["title", "slug"]
