"""The families of models: each a file of its own, built from a specification by `registry`, under one `contract`."""
