"""Policies for networks in which tasks and energy stay from block to block."""
