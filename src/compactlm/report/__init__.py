"""The results of a run for people: the page reports/index.html, the model card, and the tables behind `dvc plots`."""
