"""The sections of the page. Each is a function from the findings to a Section, or to None if there is nothing to show."""
