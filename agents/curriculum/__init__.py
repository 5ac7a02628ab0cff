"""Curricula: stages of scenarios, from easy ones to the one that matters."""
