"""The training engine: a compact loop over the models of transformers."""
