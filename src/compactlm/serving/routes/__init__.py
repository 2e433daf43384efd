"""The routes of the server, one module for each thing that a model can do."""
