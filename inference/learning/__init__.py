"""One loop for all families: folds by patient, the final model, what a training leaves behind."""
