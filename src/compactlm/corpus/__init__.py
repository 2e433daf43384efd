"""The library of the data stages: ingest, clean, duplicates, split and augment. No torch, except through nlpaug in augment."""
