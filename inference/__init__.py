"""Models of reader studies: pixels in, a `Prediction` out.

prediction, cards      what a model says, and the card that travels with its weights (free of torch)
pixels                 bytes of stored frames, and the shown values in them (free of torch)
images, dicom, nifti   the image of a case from files or stored frames: values, spacing, where it lies (`stacking`)
preparing              region of interest (`regions`), slices, steps (`sampling`, `equalising`); and the way back
cohort, levels         manifests, patient-grouped folds, leak check; numbers of vertebral levels
samples                a cohort in memory, as a network reads it
spec, outputs, steps   what a model is, declared and frozen; `declared` reads it by field (all free of torch)
recipes                `recipes/studies`: the five published systems as specifications in TOML
models                 the families: `models.registry.build(spec)`
losses                 what a specification may name, finite on empty masks
training, checkpoint   one loop for all families: `fit(...)`; it goes on after a kill
augmentation           images as they might have been taken; masks and levels move along
history, curves        what a training said of itself, and its figure
validation             folds by patient, the final model; `drafts` what a training leaves, `weights` safetensors alone
logits, deciding       a decision chosen on tuning or out-of-fold logits and frozen; `calibration` its arithmetic
predicting, answering  raw answers in batches; the answers to a cohort as tables and files
card_page              a card for people
explain                where it looked: Grad-CAM and relatives; the pointing game; what random weights show
serving                ONNX beside the weights, checked against torch; the fastest runtime of this machine
evaluate               what a model reaches on a cohort
vertebrae, bodies      from maps to one row a vertebra: level, probability, corners, heights, grade
label_volumes          the same heights from label volumes of CT and MR
segmentation           Dice, Hausdorff distance, S, E and F measures; pixel accuracy beside that of an empty mask
evaluating             stored masks, levels and heat maps measured: tables beside the predictions
reports                R01 to R22 from stored predictions and readings, on one page beside the published numbers
predict                what a worker says of the cases of a request
matching               which series of a case is which input of a model
opening, statement     models as workers keep them; from a network's answer to what is said of a case
tasks, worker          the Celery queue `inference`
phantoms               synthetic patients: films, CT, MR, the cohorts of the five studies
studies                the five studies from cohort to criteria: `python -m inference study s0`

`python -m inference --help` lists the commands.
"""
