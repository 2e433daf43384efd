"""Read rows from csv, tsv, jsonl, txt, CoNLL, SQuAD and Parquet files, and lines from files and standard input."""
