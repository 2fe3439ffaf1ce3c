"""The five published systems from their cohort to their report: `python -m inference study s0 --out FOLDER`.

plans      what each study holds: models, how they are validated, which of them is explained
running    the stages one after the other, each done once however often it is asked for
teaching   one model: taught, decided, its answers, masks, vertebrae and heat maps as tidy tables
criteria   what must hold, read from the stored tables: found, wanted, holds or falls short
"""
