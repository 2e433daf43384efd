"""Read files, split sentences, identify languages, and measure diversity. No torch."""
