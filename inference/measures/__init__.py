"""Masks and level maps measured: vertebrae with corners and heights, overlap, distances."""
