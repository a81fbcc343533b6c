"""Foreign files into the database: whole studies, and machine scores joined to a study that is there."""

from annotate.navigation import Link

LINKS = (
    Link("import", "Import from another tool", "new study"),
    Link("import", "Import files of another tool", "upload"),
)
