"""Labelling by people: the prompt, files of other tools, and the agreement of annotators. Needs only the base install."""
