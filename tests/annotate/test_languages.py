"""Annotators' pages in the study's language or the browser's; nothing of them is left untranslated."""

import ast
import gettext
import re
from html import unescape
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation.template import templatize

from annotate.kinds import KINDS
from annotate.models import Judgment, Study
from annotate.views.access import invite_path
from tests.annotate.stages import CHECKS, add_practice, see, step, study_with, submit
from tests.annotate.test_journey import fill, url
from tests.factories import make_study

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[2]
RUSSIAN = ROOT / "annotate" / "locale" / "ru" / "LC_MESSAGES"
STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
CALL = re.compile(rf"\b(?:gettext|ngettext|gettext_lazy|ngettext_lazy|_)\(\s*(u?{STRING}(?:\s+{STRING})*)")


def messages(source: str) -> set[str]:
    return {ast.literal_eval(f"({text})") for text in CALL.findall(source)}


def asked_for() -> set[str]:
    """Every text that a template or a module of annotate gives to gettext."""
    templates = (templatize(p.read_text(), origin=str(p)) for p in (ROOT / "templates").rglob("*.html"))
    modules = (p.read_text() for p in (ROOT / "annotate").rglob("*.py"))
    return set().union(*map(messages, [*templates, *modules]))


def po_entries() -> dict[str, list[str]]:
    """Texts and their translations as the .po says; plurals have several."""
    entries: dict[str, list[str]] = {}
    line = re.compile(rf"^(msgid|msgid_plural|msgstr(?:\[\d\])?) ((?:{STRING}\s*)+)", re.MULTILINE)
    current: list[str] = []
    for kind, text in line.findall((RUSSIAN / "django.po").read_text()):
        value = ast.literal_eval(f"({text})")
        if kind == "msgid":
            current = entries.setdefault(value, [])
        elif kind.startswith("msgstr"):
            current.append(value)
    return entries


def test_every_text_is_in_russian() -> None:
    entries = po_entries()
    asked = asked_for()
    assert len(asked) > 60
    assert sorted(text for text in asked if not all(entries.get(text, [""]))) == []


def test_nothing_is_translated_that_is_not_asked_for() -> None:
    assert sorted(set(po_entries()) - asked_for() - {""}) == []


def test_plurals_have_all_three_russian_forms_and_keep_their_figures() -> None:
    for text, translations in po_entries().items():
        assert len(translations) in (1, 3), text
        for name in re.findall(r"%\(\w+\)s", text):
            assert all(name in t for t in translations), text


def test_the_compiled_catalogue_is_the_written_one() -> None:
    with (RUSSIAN / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
    written = {
        (text, n) if len(translations) > 1 else text: translation
        for text, translations in po_entries().items()
        for n, translation in enumerate(translations)
    }
    assert compiled == written, "run: manage.py compilemessages"


@pytest.mark.parametrize(
    ("study", "browser", "language"),
    [
        ("", "ru-RU,ru;q=0.9,en;q=0.5", "ru"),
        ("", "de,fr;q=0.9", "en"),
        ("", "de,ru;q=0.4", "ru"),
        ("", "", "en"),
        ("en", "ru", "en"),
        ("ru", "en", "ru"),
        ("xx", "ru", "ru"),  # a language that we don't have
    ],
)
def test_the_study_chooses_else_the_browser(study: str, browser: str, language: str) -> None:
    found = study_with(language=study, consent="?")
    client = Client(headers={"accept-language": browser})
    for path in (invite_path(found), step(found, "consent")):
        response = client.get(path)
        if path == invite_path(found):
            client.post(path)
        page = response.content.decode()
        assert f'<html lang="{language}"' in page
        assert response["Content-Language"] == language
        assert ("Начать" in page or "Прежде" in page) == (language == "ru")


def test_desk_pages_stay_english_after_a_russian_annotator() -> None:
    study = study_with(language="ru")
    client = Client(headers={"accept-language": "ru"})
    client.post(invite_path(study))
    client.get(url(study))
    for path in ("/", "/login/"):
        assert '<html lang="en"' in client.get(path).content.decode()


@pytest.mark.parametrize(
    ("n", "words"), [(1, "1 задание"), (3, "3 задания"), (5, "5 заданий"), (21, "21 задание")]
)
def test_russian_plurals(n: int, words: str) -> None:
    study = study_with(shape={"responses": n}, language="ru")
    assert f">{words}<" in Client().get(invite_path(study)).content.decode()


def english_left(page: str) -> set[str]:
    """Latin words that a person would see or hear, except for keys and what the study itself says."""
    page = re.sub(r"<(script|style|kbd|option)\b.*?</\1>", " ", page, flags=re.S)
    heard = re.findall(r'(?:aria-label|placeholder|title|alt)="([^"]*)"', page)
    seen = re.sub(r"<[^>]*>", " ", page)
    text = unescape(" ".join([seen, *heard]))
    own = r"Study \w+|Prompt number \d+: write about time\.|Question \w+\?|Response \d to \d\."
    text = re.sub(rf"{own}|Time is a river and we are its fish\.|UTC|http\S+|C-\d", " ", text)
    return set(re.findall(r"[A-Za-z]{2,}", text)) - {"quality", "Agree", "Read"}


CYRILLIC_CHECKS = [{"text": "Вопрос", "options": ["да", "нет"], "right": 1}]


def test_no_english_is_left_on_the_journey() -> None:
    study = study_with(
        language="ru", consent="Agree?", instructions="Read.", checks=CYRILLIC_CHECKS, break_after=1,
        completion_codes={"finished": "C-1", "left": "C-2"}, shape={"responses": 2},
    )  # fmt: skip
    add_practice(study, {"quality": [1, 2]})
    client = Client()
    pages = [client.get(invite_path(study)).content.decode()]
    pages.append(see(client, invite_path(study), go="1")[1])
    pages.append(see(client, step(study, "consent"), agree="yes")[1])
    pages.append(see(client, step(study, "instructions"), go="1")[1])
    pages.append(client.post(step(study, "check"), {"q0": "0", "tries": "0"}).content.decode())
    see(client, step(study, "check"), q0="1", tries="1")
    pages.append(submit(client, study)[1])  # practice
    pages.append(submit(client, study)[1])  # a break
    pages.append(see(client, step(study, "leave"), go="1")[1])
    pages.append(submit(client, study)[1])  # the end
    pages.append(Client().get(url(study)).content.decode())  # not invited
    assert [re.findall(r"<h1[^>]*>\s*(.*?)\s*</h1>", p, re.DOTALL)[0] for p in pages[-4:-1]] == [
        "Можно сделать перерыв", "Вы остановились.", "Спасибо!"
    ]  # fmt: skip
    assert [english_left(p) for p in pages] == [set()] * len(pages)


@pytest.mark.parametrize("kind", ["single", "pair", "set"])
def test_no_english_is_left_on_task_pages(kind: str) -> None:
    study = make_study(prompts=1, kinds=[kind])
    Study.objects.update(language="ru", allow_skip=True, allow_flag=True, allow_comment=True)
    client = Client()
    client.post(invite_path(study))
    page = client.get(url(study)).content.decode()
    assert english_left(page) == set()
    sent = {k: v for k, v in fill(page).items() if not re.match(r"c\d", k)}
    assert english_left(client.post(url(study), sent).content.decode()) == set()
    assert english_left(client.post(url(study), sent | {"token": "x"}).content.decode()) == set()


def test_no_english_is_left_where_every_kind_is_asked() -> None:
    study = make_study(prompts=1, kinds=["pair", "set"])
    for n, (name, kind) in enumerate(KINDS.items(), 10):
        on = kind.item_kinds[-1]
        scale = {"scale_low": 1, "scale_high": 3} if kind.scaled else {}
        study.criteria.create(
            key=f"quality{n}", position=n, on=on, kind=name, text="Question quality?", **scale
        )
    Study.objects.update(language="ru")
    client = Client()
    client.post(invite_path(study))
    for _ in range(2):
        page = client.get(url(study)).content.decode()
        assert english_left(page) == set()
        wrong = {k: "no-such" for k in fill(page) if re.match(r"c\d", k)}
        typed = dict.fromkeys(re.findall(r'type="number" name="(c[\d-]+)"', page), "x" * 9)
        refused = client.post(url(study), fill(page) | wrong | typed).content.decode()
        assert english_left(refused.replace("no-such", "")) == set()
        values = dict.fromkeys(typed, "1") | dict.fromkeys(
            re.findall(r'<textarea name="(c[\d-]+)"', page), "да"
        )
        client.post(url(study), fill(page) | values)
    assert Judgment.objects.count() == 2


def test_refusals_are_in_the_browsers_language() -> None:
    russian = {"accept-language": "ru"}
    page = Client(headers=russian).get("/join/tiny:forged/").content.decode()
    assert english_left(page) == set()
    study = study_with(checks=CHECKS)
    page = Client(enforce_csrf_checks=True, headers=russian).post(invite_path(study)).content.decode()
    assert english_left(page) == set()
