"""A pool too large for one memory: Dask moves it, Parquet holds it, judging.stats measures it. No Django here."""
