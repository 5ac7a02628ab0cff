"""What one coherence block offers: small-scale fading, reception and tasks."""
