"""Reading of lines and tables, sentences, languages, and figures of diversity. Imports no torch."""
