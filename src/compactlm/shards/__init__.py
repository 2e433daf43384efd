"""Shards of documents, their manifests, and the engines that process them. Imports no torch."""
