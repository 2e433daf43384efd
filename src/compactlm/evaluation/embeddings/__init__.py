"""The quality of sentence embeddings: retrieval, agreement with the teacher, few-shot classification, and triples of context."""
