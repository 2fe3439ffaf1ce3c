"""Models of reader studies: pixels in, a `Prediction` out.

prediction, cards      what a model says, and the card that travels with its weights (free of torch)
pixels, preprocess     from files or stored frames to model input (free of torch)
cohort                 manifests, patient-grouped splits, leak check
models                 the families; `models.build(recipe)` makes one
training               one loop for all families: `train(...)`
calibration            probabilities and operating point, from validation data only
weights                safetensors beside the card
saliency               Grad-CAM
evaluate               what a model reaches on a cohort
predict                one function for one case, a batch, a worker
tasks, worker          the Celery queue `inference`
phantoms               synthetic lateral spine radiographs

`python -m inference --help` lists the commands.
"""
