"""Models of reader studies: pixels in, a `Prediction` out.

prediction, cards      what a model says, and the card that travels with its weights; `card_page` for people
spec, outputs, steps   what a model is, declared and frozen; `declared` reads it by field
imaging                the image of a case from files or stored frames; region, slices, steps; and the way back
cohorts                cases by manifest, patient-grouped folds, leak check; a cohort in memory
recipes                `recipes/studies`: the five published systems as specifications in TOML
models                 the families: `models.registry.build(spec)`; `models.weights` reads and writes safetensors
deciding               a decision chosen on tuning or out-of-fold logits and frozen, and the figures at it
explain                where it looked: Grad-CAM and relatives; the pointing game; what random weights show
measures               from maps to vertebrae with corners, heights, grades; Dice, distances, S, E and F measures
learning               one loop for all families, `fit(...)`; folds by patient, the final model, what it leaves
serving                ONNX beside the weights, the fastest runtime; from a network's answer to what is said of a case
predict                what a worker says of the cases of a request
tasks, worker          the Celery queue `inference`
phantoms               synthetic patients: films, CT, MR, the cohorts of the five studies
reports                R01 to R22 from stored predictions and readings, on one page beside the published numbers
studies                the five studies from cohort to criteria: `python -m inference study s0`

Each package stands on those above it alone; prediction to cohorts, and deciding's arithmetic, are free of torch.
`python -m inference --help` lists the commands.
"""
