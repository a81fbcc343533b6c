"""Whatever holds prompts and responses, into a pool: what it was read as is said first, and nothing is lost unsaid."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from annotate.models import Response, Study
from tests.factories import make_study

pytestmark = pytest.mark.django_db

POOL = "/studies/tiny/pool/"
PREVIEW = "/studies/tiny/pool/preview/"
ROWS = [("Write about time.", "Time is a river.", "m1"), ("Write about time.", "It waits.", "m2")]


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_user("sam", is_staff=True, is_superuser=True))
    return client


@pytest.fixture
def study() -> Study:
    return make_study(prompts=0, kinds=[])


def file(name: str, content: str | bytes) -> io.BytesIO:
    sent = io.BytesIO(content.encode() if isinstance(content, str) else content)
    sent.name = name
    return sent


def zipped(**files: str) -> io.BytesIO:
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"study/{name.replace('_', '.')}", content)
    return file("study.zip", sent.getvalue())


def table(columns: str) -> str:
    return columns + "\n" + "\n".join(",".join(row) for row in ROWS) + "\n"


def previewed(staff: Client, **sent: Any) -> str:
    page = staff.post(POOL, sent, follow=True)
    assert page.redirect_chain[-1][0] == PREVIEW, page.content.decode()
    assert not Response.objects.exists()
    return page.content.decode()


def stored() -> list[tuple[str, str, str]]:
    rows = Response.objects.order_by("pk")
    return [(r.prompt.text, r.text, r.source) for r in rows.select_related("prompt")]


TABLES = {
    "study-folder": "prompt_id,text\np1,Write about time.\n",
    "responses": "response_id,prompt_id,text,source\nr1,p1,Time is a river.,m1\nr2,p1,It waits.,m2\n",
}
LINES = "\n".join(json.dumps({"question": p, "answer": r, "model": s}) for p, r, s in ROWS)
ANY: dict[str, dict[str, Any]] = {
    "usual names": {"pasted": table("prompt,response,model")},
    "other usual names": {"sent": file("t.csv", table("Question,Output,Source"))},
    "an instruction": {"sent": file("t.tsv", table("instruction,completion,generator").replace(",", "\t"))},
    "semicolons": {"pasted": table("prompt,response,model").replace(",", ";")},
    "json lines": {"pasted": LINES},
    "a column a source": {"pasted": "prompt,m1,m2\nWrite about time.,Time is a river.,It waits.\n"},
    "two sides": {
        "pasted": "prompt,response_a,response_b,model_a,model_b\n"
        "Write about time.,Time is a river.,It waits.,m1,m2\n"
    },
    "tables of a study folder": {
        "sent": [file("prompts.csv", TABLES["study-folder"]), file("responses.csv", TABLES["responses"])]
    },
    "a study folder": {
        "sent": zipped(
            prompts_csv=TABLES["study-folder"],
            responses_csv=TABLES["responses"],
            study_toml="slug = 'x'",
            items_csv="item_id,kind,prompt_id,response_ids\n",
        )
    },
    "another tool's file": {
        "sent": file(
            "out.json",
            json.dumps([{"instruction": p, "output": r, "generator": s} for p, r, s in ROWS]),
        )
    },
}


@pytest.mark.parametrize("sent", ANY.values(), ids=ANY)
def test_whatever_there_is_comes_in(staff: Client, study: Study, sent: dict[str, Any]) -> None:
    for upload in sent["sent"] if isinstance(sent.get("sent"), list) else [sent.get("sent")]:
        upload and upload.seek(0)
    page = previewed(staff, **sent)
    assert "1 new prompt and" in page
    assert "2 new responses." in page
    done = staff.post(PREVIEW, {"store": "1"}, follow=True)
    assert "Added: 1 prompts, 2 responses" in done.content.decode()
    assert stored() == ROWS
    # The files are gone, and nothing comes in twice.
    assert staff.post(PREVIEW, {"store": "1"})["Location"] == POOL
    assert len(stored()) == 2


def test_it_is_said_in_words_what_was_read_as_what(staff: Client, study: Study) -> None:
    text = "question,output,generator,temperature\n" + "Write.,Time.,m1,0.7\n" * 2 + "Write.,Time.,m2,0.7\n"
    page = previewed(staff, pasted=text)
    assert "“question” is the prompt&#x27;s text" in page
    assert "“generator” is who wrote the response" in page
    assert "no place in a study were left out: &#x27;temperature&#x27; (3)" in page
    assert "1 of 3 rows hold a response that is there already" in page


def test_ids_are_made_that_people_can_read_and_stay(staff: Client, study: Study) -> None:
    asked = ("Write a line about the sea at dawn", "Write a line about the sea at dusk", "Время")
    text = "prompt,response,model\n" + "".join(f"{prompt},One,m1\n" for prompt in asked)
    for _ in range(2):
        staff.post(POOL, {"pasted": text})
        staff.post(PREVIEW, {"store": "1"})
    prompts = ["write-a-line-about-the-sea", "write-a-line-about-the-sea-2", "prompt"]
    assert list(study.prompts.order_by("pk").values_list("key", flat=True)) == prompts
    assert list(study.responses.order_by("pk").values_list("key", flat=True)) == [f"{p}-r1" for p in prompts]
    # The same words of another model are another response, and the same of the same model is not.
    staff.post(POOL, {"pasted": "prompt,response,model\nWrite a line about the sea at dawn,One,m2\n"})
    staff.post(PREVIEW, {"store": "1"})
    assert study.responses.order_by("pk").values_list("key", "source").last() == (
        "write-a-line-about-the-sea-r2",
        "m2",
    )


def test_columns_of_no_usual_name_are_asked_for(staff: Client, study: Study) -> None:
    page = previewed(staff, pasted=table("a,b,c"))
    assert "say below what yours mean" in page
    assert "Add to the pool" not in page
    assert staff.post(PREVIEW, {"store": "1"}).status_code == 200
    roles = {"column": ["a", "b", "c"], "role": ["prompt", "response", "source"]}
    assert "2 new responses." in staff.post(PREVIEW, roles).content.decode()
    staff.post(PREVIEW, {"store": "1"})
    assert stored() == ROWS


def test_an_answer_in_a_file_is_left_out_and_said(staff: Client, study: Study) -> None:
    rows = [{"prompt": "Write.", "completion": "Time.", "label": True}]
    page = previewed(staff, pasted=json.dumps(rows))
    assert "1 new response." in page
    assert "Left out, since a pool has texts alone: items, answers" in page


def test_a_wrong_file_is_told_row_by_row(staff: Client, study: Study) -> None:
    study.prompts.create(key="p0", text="Write.")
    wrong = "response_id,prompt_id,text,source\nx,p9,Hello,m\n,p0,Hello,m\n"
    page = staff.post(POOL, {"pasted": wrong}, follow=True)
    assert [(p.file, p.line, p.column) for p in page.context["error"].problems] == [
        ("responses.csv", 2, "prompt_id"),
        ("responses.csv", 3, "response_id"),
    ]
    for nothing in ({}, {"pasted": "  "}, {"sent": file("a.exe", "x")}):
        assert staff.post(POOL, nothing).status_code == 422
    assert not study.responses.exists()


def test_what_waits_for_one_study_is_not_stored_in_another(staff: Client, study: Study) -> None:
    make_study("other", prompts=0, kinds=[])
    staff.post(POOL, {"pasted": table("prompt,response,model")})
    assert (
        staff.post(reverse("pool-preview", args=["other"]), {"store": "1"})["Location"]
        == "/studies/other/pool/"
    )
    assert not Response.objects.exists()
