"""Three ways to run one network on arrays, each opened where it is used. One thread each: workers are processes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


# What the engines say where memory does not suffice; none of them has an error of its own for it on a processor.
FULL = ("bad_alloc", "bad allocation", "can't allocate memory", "Failed to allocate memory", "out of memory")


class Session(ABC):
    """An opened network; several threads may run it.

    Attributes
    ----------
    whole : bool
        Whether it is fastest when asked all cases at once, as a GPU is.
    """

    whole = False

    @abstractmethod
    def run(self, inputs: Mapping[str, Floats]) -> list[Floats]:
        """The outputs in the order of the graph, the number of cases first in each.

        Raises
        ------
        MemoryError
            Where memory does not suffice for so many cases.
        """


@contextmanager
def memory_told(*errors: type[Exception]) -> Iterator[None]:
    """A want of memory as Python's own error; any other error of the engine as it is."""
    try:
        yield
    except errors as error:
        if any(words in str(error) for words in FULL):
            raise MemoryError from error
        raise


class OnnxSession(Session):
    """ONNX Runtime on the processor, everything fused that can be, float32.

    Parameters
    ----------
    network : bytes or Path
        Of ``model.onnx``.
    """

    def __init__(self, network: bytes | Path) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        # Planning all memory ahead takes half as much again of it, and no less time.
        options.enable_mem_pattern = False
        # Errors only; warnings are of graphs that it makes itself.
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            network if isinstance(network, bytes) else str(network), options, providers=["CPUExecutionProvider"]
        )

        states = onnxruntime.capi.onnxruntime_pybind11_state
        self._errors = (states.Fail, states.RuntimeException, states.EPFail)

    def run(self, inputs: Mapping[str, Floats]) -> list[Floats]:
        with memory_told(*self._errors):
            return list(self._session.run(None, dict(inputs)))


class OpenVinoSession(Session):
    """OpenVINO on the processor, held to float32: by itself it takes bfloat16 where the processor has it.

    Parameters
    ----------
    network : Path
        Of ``model.onnx``.
    """

    def __init__(self, network: Path) -> None:
        import openvino

        wanted = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        self._network = openvino.Core().compile_model(network, "CPU", wanted)

    def run(self, inputs: Mapping[str, Floats]) -> list[Floats]:
        # A request of its own: one request does not serve two threads.
        with memory_told(RuntimeError):
            answer = self._network.create_infer_request().infer(dict(inputs))
        return [np.array(answer[port]) for port in self._network.outputs]


class TorchSession(Session):
    """Torch itself: on a GPU where there is one, else where nothing faster is installed.

    Parameters
    ----------
    folder : Path
        Of card and weights.
    outputs : tuple of str
    draft : bool
    """

    def __init__(self, folder: Path, outputs: tuple[str, ...], *, draft: bool = False) -> None:
        import torch

        from inference.models.weights import load_declared
        from inference.serving.served import Served

        torch.set_num_threads(1)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.whole = self.device == "cuda"
        # Convolutions of a GPU round to ten bits unless told otherwise, and choose their way by the size of the batch.
        torch.backends.cudnn.allow_tf32 = torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
        card, model = load_declared(folder, draft=draft)
        # Channels last: what the processor's and the GPU's convolutions want; half as fast again as torch's default.
        self._layout = torch.channels_last if len(card.spec.size) == 2 else torch.channels_last_3d
        self._served = Served(model, card.spec, outputs).to(self.device)
        for weight in self._served.parameters():
            if weight.ndim == len(card.spec.size) + 2:
                # Not ``contiguous``: with one channel it would leave the strides that the convolutions look at.
                weight.data = weight.data.to(self.device, memory_format=self._layout)

    def run(self, inputs: Mapping[str, Floats]) -> list[Floats]:
        import torch

        with memory_told(RuntimeError), torch.inference_mode():
            given = [
                torch.from_numpy(inputs[name]).to(self.device, memory_format=self._layout)
                for name in self._served.inputs
            ]
            return [tensor.float().cpu().numpy() for tensor in self._served(*given)]
