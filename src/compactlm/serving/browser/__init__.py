"""The page that runs exported models in a browser: one HTML file with weights, tokenizer and forward pass. No server, no torch."""
