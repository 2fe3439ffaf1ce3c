"""Where a model looked: class activation maps by gradients."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from torch import Tensor, nn


METHODS = ("grad-cam", "hires-cam")


def class_activation(model: nn.Module, images: Tensor, method: str) -> NDArray[np.float32]:
    """Support for the positive label by place, at the maps that ``model.features`` returns.

    With A^k the maps and g^k = ∂logit/∂A^k:

    * grad-cam: ReLU(Σ_k α_k A^k), α_k the mean of g^k over places; for heads to which a place is as good as another;
    * hires-cam: ReLU(Σ_k g^k · A^k); for heads that weigh each place by itself: the exact share in the logit.

    Each map is scaled to a maximum of 1.

    Parameters
    ----------
    model : nn.Module
        With ``features`` and ``head`` (see ``inference.models``), in evaluation mode.
    images : Tensor, shape (n, 1, rows, columns)
    method : {"grad-cam", "hires-cam"}
        As the card names it.

    Returns
    -------
    ndarray of float32, shape (n, r, c)
        In [0, 1] at the resolution of the feature maps; all 0 where nothing supports the positive label.

    References
    ----------
    Selvaraju et al., ICCV 2017, equations 1 and 2. Draelos and Carin, arXiv 2011.08891, equation 8.
    """
    import torch

    with torch.enable_grad():
        maps = model.features(images).detach().requires_grad_(True)  # type: ignore[operator]
        (gradient,) = torch.autograd.grad(model.head(maps).sum(), maps)  # type: ignore[operator]
    if method == "grad-cam":
        gradient = gradient.mean(dim=(2, 3), keepdim=True)
    cam = torch.relu((gradient * maps.detach()).sum(dim=1))
    peak = cam.amax(dim=(1, 2), keepdim=True)
    scaled: NDArray[np.float32] = torch.where(peak > 0, cam / peak.clamp(min=1e-12), cam).numpy()
    return scaled


def heatmap_png(plane: NDArray[np.float32], longest: int = 128) -> bytes:
    """A map in [0, 1] as 8-bit grey PNG, its longer side at most ``longest`` pixels.

    Parameters
    ----------
    plane : ndarray, shape (rows, columns)
        Covering the image exactly (padding cut away).
    """
    grey = Image.fromarray((np.clip(plane, 0, 1) * 255).round().astype(np.uint8))
    grey.thumbnail((longest, longest), Image.Resampling.BILINEAR)
    buffer = io.BytesIO()
    grey.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
