"""What sentence embeddings are worth: retrieval, agreement with the teacher, few-shot classification, and texts where context decides."""
