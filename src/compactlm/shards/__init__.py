"""Shards of documents, their manifests, and the engines that process them. No torch."""
