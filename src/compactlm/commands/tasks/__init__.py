"""Commands that answer texts with the model of a task, one module for each kind of answer."""
