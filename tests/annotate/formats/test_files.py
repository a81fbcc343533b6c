"""Files as people have them: encodings, quotes, separators, spreadsheets, no header; and how much is read of one."""

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pytest_django import Settings

from annotate.folder import FolderError
from annotate.folder.problems import Problem
from annotate.formats import json_rows
from annotate.formats.source import Source
from annotate.formats.values import as_list

from .samples import records_of, xlsx

SINGLE = {"prompt": "q", "response": "a", "annotator": "who", "rating.quality": "r"}


def written(folder: Path, content: bytes, name: str = "f.csv") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def rows(path: Path, **said: Any) -> tuple[list[dict[str, Any]], str]:
    source = Source(path, **said)
    there = [row for _, row in source.rows() if not isinstance(row, Problem)]
    return there, "\n".join(source.remarks)


# Encodings


def test_utf8_with_a_broken_byte_stays_utf8(tmp_path: Path) -> None:
    content = "a\nGrüße – naïve café\n日本語\n".encode() + b"broken \xf0\x9f\x98\n"
    there, said = rows(written(tmp_path, content))
    assert [row["a"] for row in there] == ["Grüße – naïve café", "日本語", "broken \ufffd"]
    assert "byte 0xf0 on line 4 is broken UTF-8" in said


@pytest.mark.parametrize(
    "text",
    ["Вопрос,Ответ", "问题,回答", "質問,回答", "Ερώτηση,Απάντηση", "שאלה,תשובה", "Wątpliwości mała żółć"],
)
@pytest.mark.parametrize("encoding", ["cp1251", "gbk", "shift_jis", "cp1253", "cp1255", "cp1250", "koi8-r"])
def test_what_is_no_western_text_is_refused_until_somebody_says(
    tmp_path: Path, text: str, encoding: str
) -> None:
    try:
        content = text.encode(encoding)
    except UnicodeEncodeError:
        pytest.skip("this encoding has no such letters")
    path = written(tmp_path, b"a,b\n" + (content if b"," in content else content + b",") + b"\n")
    with pytest.raises(FolderError, match=r"expected UTF-8, .* Windows-1252 \(--encoding"):
        rows(path)
    there, _ = rows(path, given_encoding=encoding)
    assert text.partition(",")[0] == there[0]["a"]


@pytest.mark.parametrize(
    "text",
    ["Grüße", "naïve café", "¿Qué?", "créée à l’été", "“quoted” – dash…", "yö, työ, ääni", "50 €", "Ærø"],
)
def test_western_text_is_read_as_windows_writes_it(tmp_path: Path, text: str) -> None:
    there, said = rows(written(tmp_path, f"a\n{text}\n".replace(",", "").encode("cp1252")))
    assert there == [{"a": text.replace(",", "")}]
    assert "read as Windows-1252" in said


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("İstanbul’da ağaçların altında hava çok güzeldi", "cp1254"),
        ("Która odpowiedź? Dobrý den, česky píšu", "cp1250"),
        ("Árvíztűrő tükörfúrógép", "cp1250"),
        ("Koji je odgovor bolji? Čovjek može živjeti", "cp1250"),
        ("Kuris atsakymas geresnis? Žmogus, šešėlis", "cp1257"),
    ],
)
def test_letters_of_no_western_language_are_no_windows_1252(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(FolderError, match="--encoding"):
        rows(written(tmp_path, f"a\n{text.replace(',', '')}\n".encode(encoding)))


@pytest.mark.parametrize(
    "lines",
    [
        "Grüße aus Köln\nÀ bientôt! Où est l’été?\n¿Qué pasa, señor?\nNão há ações; você é\nPerché è così? Può",
        "Blåbærgrød på øen, à 3 € – også\nÁstæða: þetta er góð hugmynd, ýmsir\nÕhtu, öö, šokolaad",
        "Het geïnteresseerde kind, één\nBeyoncé trifft Müller in São Paulo\nL’àvia és aquí, qüestió",
    ],
)
def test_western_languages_may_stand_in_one_file(tmp_path: Path, lines: str) -> None:
    there, said = rows(written(tmp_path, f"a\n{lines}\n".replace(",", "").encode("cp1252")))
    assert [row["a"] for row in there] == lines.replace(",", "").split("\n")
    assert "read as Windows-1252" in said


def test_text_of_a_mac_is_not_taken_for_windows(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="--encoding"):
        rows(written(tmp_path, "a\nGrüße, café\n".replace(",", "").encode("mac_roman")))
    with pytest.raises(FolderError, match="no encoding of the name latin-x"):
        rows(written(tmp_path, b"a\n\xff\n"), given_encoding="latin-x")


@pytest.mark.parametrize(
    ("encoding", "mark", "said"),
    [
        ("utf-16", b"", "read as UTF-16, as its first two bytes say"),
        ("utf-16-le", b"", "read as UTF-16-LE, since every other byte"),
        ("utf-16-be", b"", "read as UTF-16-BE, since every other byte"),
        ("utf-32", b"", "read as UTF-32, as its first four bytes say"),
        ("utf-8-sig", b"\xef\xbb\xbf", "a byte order mark inside the file, on line 1"),
    ],
)
def test_unicode_is_read_in_all_its_shapes(tmp_path: Path, encoding: str, mark: bytes, said: str) -> None:
    there, remarks = rows(written(tmp_path, mark + "a,b\nGrüße – 日本,x\nQ,y\n".encode(encoding)))
    assert there == [{"a": "Grüße – 日本", "b": "x"}, {"a": "Q", "b": "y"}]
    assert said in remarks


def test_files_that_were_put_together_have_no_marks_in_their_texts(tmp_path: Path) -> None:
    there, said = rows(written(tmp_path, b"a,b\nQ1,x\n\xef\xbb\xbfQ2,y\n"))
    assert [row["a"] for row in there] == ["Q1", "Q2"]
    assert "a byte order mark inside the file, on line 3, was taken away" in said


@pytest.mark.parametrize("content", [b"a\nx\0y\n", b"a\n\0\0\0\0\n"])
def test_zeros_in_a_text_make_it_no_utf16(tmp_path: Path, content: bytes) -> None:
    assert "UTF-16" not in rows(written(tmp_path, content))[1]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("naïve café", "cp437"), ("schön", "cp850"), ("問題", "big5"), ("質問", "iso2022_jp")],
)
def test_other_encodings_are_not_taken_for_windows(tmp_path: Path, text: str, encoding: str) -> None:
    with pytest.raises(FolderError, match="--encoding"):
        rows(written(tmp_path, b"a,b\n" + text.encode(encoding) + b",x\n"))


@pytest.mark.parametrize("encoding", ["hex", "rot13", "no-such"])
def test_a_codec_of_bytes_is_no_encoding(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(FolderError, match=f"no encoding of the name {encoding}"):
        rows(written(tmp_path, b"a\nx\n"), given_encoding=encoding)


def test_a_wrong_encoding_is_refused_where_it_ends(tmp_path: Path) -> None:
    for encoding in ("utf-16", "ascii"):
        with pytest.raises(FolderError, match=rf"text in {encoding} \(--encoding\)"):
            rows(written(tmp_path, "a\né\n".encode()), given_encoding=encoding)


# Quotes and separators


@pytest.mark.parametrize("header", ["q,a,who,r", "q,a,who"])
def test_a_quoted_cell_that_swallows_rows_is_named(tmp_path: Path, header: str) -> None:
    n = header.count(",") - 1
    rest = ",w" * n
    path = written(tmp_path, f'{header}\nQ1,"Never{rest}\nQ2,fine{rest}\nQ3,end"{rest}\n'.encode())
    with pytest.raises(FolderError, match=r"line 2: .*a quoted cell that swallows 2 more lines"):
        rows(path)
    assert [row["a"] for row in rows(path, quotes="letters")[0]] == ['"Never', "fine", 'end"']
    assert len(rows(path, quotes="cells")[0]) == 1


@pytest.mark.parametrize("rest", ["Q1,fine,w\n", ""])
@pytest.mark.parametrize("cell", ['"Never,w\nQ3,end,w', '"x "y" z",w'])
def test_a_quote_that_ends_nowhere_is_named_where_it_begins(tmp_path: Path, rest: str, cell: str) -> None:
    path = written(tmp_path, f"q,a,who\n{rest}Q2,{cell}\n".encode())
    with pytest.raises(FolderError, match=rf"line {3 if rest else 2}: expected .*--quotes letters"):
        rows(path)
    assert rows(path, quotes="letters")[0][-1]["who"] == "w"


@pytest.mark.parametrize(
    "between", ["\n", 'Q3,fine,w\nQ4,"fine, too",w\nQ5,fine,w\nQ6,fine,w\nQ7,fine,w\n'.replace('"', "")]
)
def test_rows_are_swallowed_with_gaps_and_commas_too(tmp_path: Path, between: str) -> None:
    path = written(tmp_path, f'q,a,who\nQ1,"Never,w\n{between}Q2,end",w\n'.encode())
    with pytest.raises(FolderError, match="a quoted cell that swallows"):
        rows(path)


def test_cells_may_span_lines(tmp_path: Path) -> None:
    path = written(tmp_path, b'q,a\n1,"Dear all,\nyes, no,\nmaybe"\n2,"x\n\ny"\n')
    assert [row["a"] for row in rows(path)[0]] == ["Dear all,\nyes, no,\nmaybe", "x\n\ny"]


def test_a_quote_in_tsv_is_a_letter_unless_the_file_says_otherwise(tmp_path: Path) -> None:
    path = written(tmp_path, b'q\ta\nQ1\t"Never\nQ2\tfine\nQ3\tend"\n', "f.tsv")
    there, said = rows(path)
    assert [row["a"] for row in there] == ['"Never', "fine", 'end"']
    assert "quotes were read as letters" in said
    quoted = written(tmp_path, b'q\ta\nQ1\t"say ""no"""\nQ2\tfine\n', "g.tsv")
    assert [row["a"] for row in rows(quoted)[0]] == ['say "no"', "fine"]


def test_excel_s_first_line_names_the_separator(tmp_path: Path) -> None:
    there, _ = rows(written(tmp_path, b"sep=;\r\nq;a\r\nQ;A\r\n"))
    assert there == [{"q": "Q", "a": "A"}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("sts.tsv", "3.8\tA cat.\tA dog.\n1.0\tOne.\tTwo.\n"),
        ("sts.csv", "A cat.,A dog.,3.8\nOne.,Two.,1.0\n"),
        ("sts-b.csv", "news\tMSR\t2012\t0001\t3.8\tA cat.\tA dog.\nnews\tMSR\t2012\t0002\t1.0\tOne.\tTwo.\n"),
        ("same.csv", "2.5,A cat.,A cat.\n1.0,One.,Two.\n"),
    ],
)
def test_pairs_of_sentences_need_no_header(tmp_path: Path, name: str, content: str) -> None:
    records = records_of([written(tmp_path, content.encode(), name)])
    assert [row["value"] for row in records["answers"]][1:] == [1]
    assert [row["text"] for row in records["responses"]][-2:] == ["One.", "Two."]
    said = "\n".join(records["remarks"])
    assert "no header: by what stands in its first lines, its columns were taken for" in said


@pytest.mark.parametrize(
    "content",
    [
        # Whole numbers may be anybody's ratings of responses; and these are no similarities.
        b"4\tA cat.\tA dog.\n1\tOne.\tTwo.\n",
        b"47.5\tA cat.\tA dog.\n1.5\tOne.\tTwo.\n",
        b"3.5\tA cat.\tA dog.\tx\n1.5\tOne.\tTwo.\ty\n",
    ],
)
def test_a_file_without_a_header_asks_for_one(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path, content, "sts.tsv")
    with pytest.raises(FolderError, match="a file without a header needs --header"):
        records_of([path])


def test_columns_of_a_file_without_a_header_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, b"4\tA cat.\tA dog.\n1\tOne.\tTwo.\n", "sts.tsv")
    records = records_of([path], header=("score", "sentence1", "sentence2"))
    assert [row["value"] for row in records["answers"]] == [4, 1]
    assert "Taken for sts, since it has the columns score, sentence1, sentence2." in records["remarks"]


@pytest.mark.parametrize("content", [b"", b"q,a,who,r\n", b"q,a,who,r\n\n\n"])
def test_a_file_without_rows_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(FolderError, match=r"f\.csv: expected rows, found none"):
        records_of([written(tmp_path, content)], mapping=SINGLE)


def test_rows_that_are_all_wrong_are_named_by_their_lines(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="line 2: expected 4 cells, as in the header, found 3"):
        records_of([written(tmp_path, b"q,a,who,r\nQ,A,w\n")], mapping=SINGLE)


# Spreadsheets and tables with types


def test_a_spreadsheet_is_a_table(tmp_path: Path) -> None:
    content = xlsx([["q", "a", "who", "r"], ["Why?", "So.", "w1", 4], ["Why?", "two\nlines", 7, 5]])
    path = written(tmp_path, content, "f.xlsx")
    assert rows(path)[0][1] == {"q": "Why?", "a": "two\nlines", "who": 7, "r": 5}
    assert [row["value"] for row in records_of([path], mapping=SINGLE)["answers"]] == [4, 5]
    with pytest.raises(FolderError, match=r"a whole \.xlsx file"):
        rows(written(tmp_path, content[:200], "g.xlsx"))


@pytest.mark.parametrize("merged", ["A2:A3", "B3:C3"])
def test_merged_cells_are_no_rows(tmp_path: Path, merged: str) -> None:
    table: list[list[Any]] = [["q", "a", "who", "r"], ["Why?", "So.", "w1", 4], [None, "No.", None, 5]]
    with pytest.raises(FolderError, match=r"cells that are not merged \(unmerge them\), found one cell in"):
        rows(written(tmp_path, xlsx(table, merged), "f.xlsx"))
    assert len(rows(written(tmp_path, xlsx(table, "A1:B1"), "g.xlsx"))[0]) == 2


ERROR, FORMULA = '<c t="e"><v>#NAME?</v></c>', "<c><f>1+1</f></c>"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (ERROR, "Excel's error #NAME"),
        (FORMULA, "a formula without its value"),
        (f'<c r="B3">{FORMULA[3:]}', "a form"),
    ],
)
@pytest.mark.parametrize("column", ["a", "r"])
def test_cells_without_a_value_are_not_empty(tmp_path: Path, cell: str, said: str, column: str) -> None:
    table: list[list[Any]] = [
        ["q", "a", "who", "r"],
        ["Q", "A", "w", 4],
        ["Q", "B", "w", 5],
        ["Q", "C", "w", 3],
    ]
    table[2][1 if column == "a" else 3] = 77777
    cell = cell.replace("B3", "B3" if column == "a" else "D3")
    path = written(tmp_path, xlsx(table, cells={"<c><v>77777</v></c>": cell}), "f.xlsx")
    with pytest.raises(FolderError, match=rf"f\.xlsx, line 3, {column}: expected a value, found {said}"):
        records_of([path], mapping=SINGLE)
    skipped = frozenset({("f.xlsx", 3)})
    records = records_of([path], mapping=SINGLE, skip_bad_rows=True, skipped=skipped)
    assert [row["text"] for row in records["responses"]] == ["A", "C"]


def test_a_spreadsheet_s_numbers_and_words_for_nothing(tmp_path: Path) -> None:
    table: list[list[Any]] = [
        ["q", "a", "who", "r"],
        ["Q", "N/A", "NA", "4"],
        ["None", 1.10, 7.0, "5.0"],
        ["Q", "x", "w", "NA"],
    ]
    records = records_of([written(tmp_path, xlsx(table), "f.xlsx")], mapping=SINGLE)
    assert [row["text"] for row in records["responses"]] == ["N/A", "1.1", "x"]
    assert [(row["annotator_id"], row["value"]) for row in records["answers"]] == [("NA", 4), ("7", 5)]
    assert any('says "NA", which is nothing' in remark for remark in records["remarks"])


def test_decimals_are_numbers_and_texts(tmp_path: Path) -> None:
    table = pa.table(
        {"q": ["Q"], "a": pa.array([Decimal("1.50")], pa.decimal128(5, 2)), "who": [1.0],
         "r": pa.array([Decimal("4.00")], pa.decimal128(5, 2))}
    )  # fmt: skip
    pq.write_table(table, tmp_path / "t.parquet")
    records = records_of([tmp_path / "t.parquet"], mapping=SINGLE)
    assert (records["responses"][0]["text"], records["answers"][0]["value"]) == ("1.50", 4)


# How much is read


def test_a_row_of_too_many_values_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_rows, "MOST_VALUES", 1000)
    many = json.dumps({"a": [[]] * 2000}).encode()
    for name in ("f.json", "f.jsonl", "f.jsonl.gz"):
        path = written(tmp_path, gzip.compress(many) if name.endswith("gz") else many, name)
        with pytest.raises(FolderError, match="more than 1,000 values in one row"):
            records_of([path], "infinity-eval")


def test_blank_lines_are_bounded_as_rows_are(tmp_path: Path, settings: Settings) -> None:
    settings.READ_MOST_ROWS = 100
    path = written(tmp_path, gzip.compress(b"q,a,who,r\n" + b"\n" * 1000 + b"Q,A,w,4\n"), "f.csv.gz")
    with pytest.raises(FolderError, match="line 201: expected at most 200 lines, found more"):
        records_of([path], mapping=SINGLE)


@pytest.mark.parametrize("name", ["f.jsonl", "f.csv"])
def test_a_file_without_a_row_that_can_be_read_says_what_is_wrong(tmp_path: Path, name: str) -> None:
    content = b"{]\n" if name == "f.jsonl" else b"a,b\n1\n"
    with pytest.raises(FolderError, match=r"line \d: expected (a JSON object|2 cells)"):
        records_of([written(tmp_path, content, name)])


@pytest.mark.parametrize("name", ["prompt", "chosen"])
def test_cells_with_too_many_values_stay_texts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """JSON in a cell is read before anybody knows whether it is a conversation."""
    monkeypatch.setattr(json_rows, "MOST_VALUES", 1000)
    cell = "[" + "{}," * 2000 + "{}]"
    row = {"prompt": "Q", "chosen": "A", "rejected": "B"} | {name: cell}
    content = ",".join(row) + "\n" + ",".join(f'"{text}"' for text in row.values()) + "\n"
    records = records_of([written(tmp_path, content.encode())], "trl-preference")
    assert cell in [text["text"] for table in ("prompts", "responses") for text in records[table]]


def test_python_s_own_reader_sees_small_cells_only() -> None:
    with pytest.raises(ValueError, match=r"\[1"):
        as_list("[" + "1, " * 100_000 + "'x']")
    assert as_list("['a', nan]") == ["a", None]
