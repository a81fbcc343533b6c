"""The report: a first page for a reader with ten minutes, then everything it rests on."""
