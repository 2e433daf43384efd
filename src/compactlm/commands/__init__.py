"""The commands of `compactlm`. Each one calls the library and prints the result."""
