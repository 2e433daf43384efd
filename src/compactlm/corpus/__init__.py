"""The rooms of the data stages: ingest, clean, duplicates, split and augment. No torch."""
