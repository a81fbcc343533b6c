"""Numbers of rows as a column of the rows they belong to."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce


def counted(rows: QuerySet[Any], by: str) -> Coalesce:
    """How many of `rows` name the outer row in their column `by`.

    Not joined: a page counts for its own rows only, several counts don't multiply, and the number of pages needs none.
    """
    of_one = rows.filter(**{by: OuterRef("pk")}).order_by().values(by)
    return Coalesce(Subquery(of_one.annotate(n=Count("pk")).values("n"), output_field=IntegerField()), 0)
