"""Training with Stable-Baselines3: hyperparameters, environments, checkpoints, and the ``train`` command."""
