"""Use the finished model: fill, classify, embed, search, complete, summarize and fine-tune."""
