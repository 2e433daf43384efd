"""The sections of the page, each a function from the findings to a Section, or to None where there is nothing to show."""
