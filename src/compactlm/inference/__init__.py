"""The finished model in use: fill, classify, embed, search, complete, summarize and fine-tune."""
