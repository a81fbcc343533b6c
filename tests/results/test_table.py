"""Tables of results as files."""

from judging.results.table import Column, Table
from judging.stats import Estimate


def test_a_column_may_name_the_type_of_its_rows() -> None:
    """With slots, a frozen generic dataclass could not be made so: the export of judges' tables failed."""
    columns = [Column[Estimate]("value", "Value", lambda e: e), Column[Estimate]("n", "N", lambda e: e.n)]
    table = Table.of("values", "", columns, [Estimate(0.5, 0.4, 0.6, 9), Estimate.undefined("none", 0)])
    assert table.flat_columns == ["value", "value_low", "value_high", "value_n", "n"]
    assert table.records[0] == {"value": 0.5, "value_low": 0.4, "value_high": 0.6, "value_n": 9, "n": 9}
    assert table.records[1]["value"] is None
