"""Labels at scale: drawn networks with their solutions, in a chunked store that learned models are trained on."""
