"""The commands of `compactlm`, each a thin face of the library."""
