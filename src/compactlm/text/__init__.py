"""Read lines and tables, split sentences, identify languages, and measure diversity. No torch."""
