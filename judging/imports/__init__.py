"""Foreign files into the database: whole studies, and machine scores joined to a study that is there."""
