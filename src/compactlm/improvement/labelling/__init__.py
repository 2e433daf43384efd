"""Labels by people: the prompt, files of other tools, and how far annotators agree. Needs the base install alone."""
