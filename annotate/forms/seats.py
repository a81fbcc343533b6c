"""How many annotators each item wants."""

from annotate.models import Study
from annotate.planting import most_taken


def too_few_seats(study: Study, seats: int) -> str:
    """Why an item can't want so few; nothing where it can."""
    item, taken = most_taken(Study.objects.get(pk=study.pk))
    if seats >= taken:
        return ""
    return f"Item {item} has {taken} annotators already, and what they gave stays: choose {taken} or more."
