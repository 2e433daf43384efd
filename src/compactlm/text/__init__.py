"""Text as it is read: rows of files, lines, languages, and how varied a set of texts is. No torch."""
