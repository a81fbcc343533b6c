"""Agreement and audit of the demo: commands, pages, JSON, and methods page in step with each other."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from annotate.models import Judgment, Study
from judging.folder.scores import load_folder
from judging.models import Embedding
from judging.monitor import live as monitor
from judging.results import agreement as agreements
from judging.results.audit.options import DEFAULTS
from judging.results.audit.result import RESULT as AUDIT
from judging.results.methods import parts
from judging.results.result import NotComputable
from tests.factories import make_study

ROOT = Path(__file__).parents[2]


def run(*args: str) -> str:
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


def test_the_audit_finds_the_biased_scorer_and_acquits_the_fair_one(demo: Study) -> None:
    found = json.loads(run("audit", "demo", "--json"))
    rows = {row["scorer"]: row for row in found["scorers"]}
    assert found["study"] == "demo"
    assert list(rows) == ["rm-conventional", "rm-fair", "length"]
    biased, fair = rows["rm-conventional"], rows["rm-fair"]
    assert biased["verdict"] == "underrates"
    assert 0 < biased["underrating"]["low"] < 0.3 < biased["underrating"]["high"]
    assert fair["verdict"].startswith("no underrating of")
    assert fair["underrating"]["low"] < 0 < fair["underrating"]["high"]
    # The naive slope accuses the fair one: the trap this tool exists for.
    assert fair["naive"]["low"] > 0
    assert biased["n_prompts"] == 16
    assert biased["n_responses"] == 192
    assert biased["n_annotators"] == 40
    assert biased["strength"] > 6
    assert biased["unusualness"] == "minilm"


def test_controls_run_with_every_audit(demo: Study) -> None:
    found = json.loads(run("audit", "demo", "--json"))
    controls = {c["control"]: c for c in found["controls"]}
    assert list(controls) == ["held-out people", "planted penalty"]
    assert (
        controls["held-out people"]["underrating"]["low"]
        < 0
        < controls["held-out people"]["underrating"]["high"]
    )
    planted = controls["planted penalty"]
    assert planted["underrating"]["low"] < 0.3 < planted["underrating"]["high"]
    # Half of the demo's annotators may be too few to find it, but they do not speak against it.
    assert planted["passed"] is not False
    assert planted["underrating"]["estimate"] > controls["held-out people"]["underrating"]["estimate"] + 0.2
    assert [r["discovery"] for r in found["scorers"]] == [True, False, None]


def test_unusualness_can_be_measured_otherwise(demo: Study, auditor: Client) -> None:
    for name in json.loads(run("audit", "demo", "--json"))["measures"]:
        query = {"unusualness": name}
        page = auditor.get(reverse("audit", args=["demo"]), query)
        assert page.status_code == 200
        assert f'<option value="{name}" selected>' in page.content.decode()
    assert auditor.get(reverse("audit", args=["demo"]), {"unusualness": "beauty"}).status_code == 404
    with pytest.raises(CommandError, match="--unusualness: One of cosine, cluster"):
        run("audit", "demo", "--unusualness", "beauty")


def test_a_pool_that_is_embedded_in_part_is_not_audited(demo: Study) -> None:
    """Unusualness against a part of the pool gave confident, wrong verdicts on real data."""
    Embedding.objects.filter(response__prompt__key="time-metaphor")[0].delete()
    with pytest.raises(CommandError, match="1 of 192 responses are not embedded yet"):
        run("audit", "demo")


def test_one_scorer_can_be_asked_for(demo: Study) -> None:
    assert [
        r["scorer"] for r in json.loads(run("audit", "demo", "--scorer", "rm-fair", "--json"))["scorers"]
    ] == ["rm-fair"]
    with pytest.raises(CommandError, match="there are rm-conventional, rm-fair, length"):
        run("audit", "demo", "--scorer", "rm-foul")


def test_agreement_has_an_entry_for_each_level_that_makes_sense(demo: Study) -> None:
    found = json.loads(run("agreement", "demo", "--json"))
    assert [(e["criterion"], e["level"]) for e in found["criteria"]] == [
        ("quality", "ordinal"),
        ("quality", "interval"),
        ("originality", "ordinal"),
        ("originality", "interval"),
        ("preference", "nominal"),
        ("preference", "ordinal"),
        ("similarity", "ordinal"),
        ("similarity", "interval"),
        ("grouping", "nominal"),
    ]
    for entry in found["criteria"]:
        assert entry["alpha"]["low"] < entry["alpha"]["estimate"] < entry["alpha"]["high"]
        assert 0 < entry["percent_agreement"] < 1
        assert entry["n_answers"] > 0


def test_excluded_judgments_and_old_revisions_do_not_count(demo: Study) -> None:
    before = {e.criterion.key: e.n_answers for e in agreements.agreement(demo)}
    Judgment.objects.filter(assignment__item__kind="pair").update(excluded="a test")
    after = {e.criterion.key: e.n_answers for e in agreements.agreement(demo)}
    assert after["quality"] == before["quality"]
    assert after["similarity"] == 0
    last = agreements.agreement(demo)[-2]
    assert last.alpha.estimate is None
    assert last.alpha.reason


def test_pages_show_the_same_numbers_as_the_commands(demo: Study, auditor: Client) -> None:
    for name in ("agreement", "audit"):
        page = auditor.get(reverse(name, args=["demo"]), {"format": "json"}).json()
        assert page == json.loads(run(name, "demo", "--json"))
        html = auditor.get(reverse(name, args=["demo"])).content.decode()
        assert "Simulated." in html
    assert "no underrating of 0.20 or more" in html
    assert html.count('class="card read"') == 8
    assert "<svg" in html


def test_text_output_says_simulated(demo: Study) -> None:
    for name in ("audit", "agreement"):
        assert run(name, "demo").startswith(
            "This study is simulated: so are its annotators and its stored scores."
        )


@pytest.mark.django_db
def test_what_is_missing_for_an_audit_is_said() -> None:
    make_study()
    with pytest.raises(CommandError, match=re.escape("run `manage.py score tiny --scorer minilm` first")):
        run("audit", "tiny")
    found = json.loads(run("audit", "tiny", "--json"))
    assert found["scorers"] == []
    assert "run `manage.py score" in found["reason"]
    with pytest.raises(CommandError, match="There is no study 'nobody'"):
        run("audit", "nobody")


@pytest.mark.django_db
def test_an_empty_study_has_pages(auditor: Client) -> None:
    make_study()
    html = auditor.get("/studies/tiny/agreement/").content.decode()
    assert "undefined:" in html
    assert "Nothing to show." in auditor.get("/studies/tiny/audit/").content.decode()


def test_hanna_cannot_tell(shared: Path, db: None) -> None:
    """The real study: every naive slope may look significant, and nothing can be told."""
    load_folder(shared / "data" / "hanna")
    study = Study.objects.get(slug="hanna")
    rows = {e.criterion.key: e for e in agreements.agreement(study) if e.level == "interval"}
    assert {e.n_answers for e in rows.values()} == {3168}
    assert rows["engagement"].alpha.estimate == pytest.approx(0.180, abs=0.001)
    with pytest.raises(NotComputable, match="score hanna --scorer minilm"):
        AUDIT.compute(study, DEFAULTS)


def test_pandalm_percent_agreement_equals_the_published_one(shared: Path, db: None) -> None:
    """Three annotators, pairwise Cohen's kappa .85, .88, .86 (README of the data): alpha lies at their mean."""
    load_folder(shared / "data" / "pandalm")
    nominal, _ = agreements.agreement(Study.objects.get(slug="pandalm"))
    assert nominal.alpha.estimate == pytest.approx((0.85 + 0.88 + 0.86) / 3, abs=0.006)


@pytest.mark.django_db
def test_every_number_of_monitor_and_planning_is_on_the_methods_pages() -> None:
    ids = {anchor for part in parts() for anchor in part.anchors}
    columns = set(monitor.COLUMNS) - {"annotator", "items", "wall"}
    others = {"seats", "pace", "annotators", "exclusion", "planning", "before", "stop"}
    widths = {
        "alpha_width",
        "mean_width",
        "reliability_of_k",
        "simulation_error",
        "n_simulated",
        "n_identified",
    }
    assert columns | others | widths <= ids


def test_pages_follow_a_change_at_once(demo: Study, auditor: Client) -> None:
    """Cached results may not outlive an exclusion."""

    def n_answers() -> int:
        page = auditor.get("/studies/demo/agreement/", {"format": "json"}).json()
        return int(page["criteria"][0]["n_answers"])

    before = n_answers()
    judgment = Judgment.objects.in_study(demo).filter(assignment__item__kind="single").earliest("pk")
    auditor.post(f"/studies/demo/monitor/judgments/{judgment.pk}/exclude/", {"reason": "a test"})
    assert n_answers() == before - 1
    auditor.post(f"/studies/demo/monitor/judgments/{judgment.pk}/readmit/")
    assert n_answers() == before


def test_records_of_the_schema_have_names_of_their_own() -> None:
    """The API's schema knows each by its class's name: of two with one name it would show one."""
    names = re.findall(
        r"^class (\w+)\(\w*Record\)",
        "\n".join(p.read_text() for p in (ROOT / "judging/results").rglob("*.py")),
        re.M,
    )
    assert len(names) > 20
    assert [name for name in set(names) if names.count(name) > 1] == []
