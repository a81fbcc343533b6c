"""A table of no known format comes in by a mapping, and goes out again, in a real browser."""

import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_desk import log_in

pytestmark = pytest.mark.browser


def test_a_table_is_mapped_loaded_and_exported(page: Page, site: Site, tmp_path: Path) -> None:
    table = tmp_path / "my table.csv"
    table.write_text("Frage;Antwort;Anna;Ben\nWarum?;Darum.;4;2\nWarum?;So.;5;\n")
    log_in(page, site, "/desk/import/")
    page.get_by_label("Files, or a .zip").set_input_files(table)
    page.get_by_role("button", name="Preview import").click()
    # Nothing is recognised, and what stands in the columns is shown.
    expect(page.get_by_role("cell", name='"Darum." · "So."')).to_be_visible()
    for column, role in (
        ("Frage", "prompt"),
        ("Antwort", "response"),
        ("Anna", "rating.quality"),
        ("Ben", "rating.quality"),
    ):
        page.get_by_label(f"Meaning of {column}").select_option(role)
    page.get_by_role("button", name="Update preview").click()
    expect(page.get_by_text("2 rows, read as mapped", exact=False)).to_be_visible()
    expect(page.get_by_text("Column 'Ben' is empty: no answer was made of it.", exact=False)).to_be_visible()
    page.get_by_role("button", name="Load it").click()
    expect(page.get_by_text("Imported: 1 prompts, 2 responses", exact=False)).to_be_visible()

    page.get_by_role("link", name="Export", exact=True).click()
    page.get_by_label("Soft labels").check()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert any(name.endswith("soft_labels.quality.jsonl") for name in archive.namelist())
