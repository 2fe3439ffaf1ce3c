"""A model as fast as the machine runs it, with the answers that torch gives.

trial       inputs on which a model's forms are compared
export      to ONNX beside the weights, checked against torch, under its own digest
runtimes    one door to ONNX Runtime, OpenVINO and torch: `runtime(folder)`
choosing    which of them is fastest on this machine, measured once
running     the call: arrays in, probabilities out; opened in the worker that asks
batching    how many cases are asked at once
sessions    the three ways to run a network
"""
