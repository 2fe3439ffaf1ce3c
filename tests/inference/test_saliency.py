"""Heat maps of the first families: exact shares, empty where nothing supports the positive label."""

import numpy as np
import torch

from inference.models import build
from inference.saliency import class_activation


def test_hires_shares_add_up_to_the_logit_of_a_linear_head() -> None:
    """Without the ReLU, Σ g·A is logit − bias; so the positive part is the map that comes back, up to its scale."""
    torch.manual_seed(0)
    model = build("wavelet", {"grid": 4}).eval()
    torch.nn.init.normal_(model.linear.weight, std=0.1)
    images = torch.rand(2, 1, 64, 64)
    with torch.no_grad():
        maps = model.features(images)
        shares = (model.linear.weight.reshape(maps.shape[1:]) * maps).sum(dim=1)
        assert torch.allclose(shares.sum(dim=(1, 2)) + model.linear.bias, model(images), atol=1e-4)
    expected = torch.relu(shares)
    expected /= expected.amax(dim=(1, 2), keepdim=True)
    assert np.allclose(class_activation(model, images, "hires-cam"), expected, atol=1e-5)


def test_both_methods_agree_where_the_head_is_a_mean() -> None:
    torch.manual_seed(0)
    model = build("small_cnn", {"grid": 1, "width": 4}).eval()
    images = torch.rand(2, 1, 32, 32)
    assert np.allclose(
        class_activation(model, images, "grad-cam"), class_activation(model, images, "hires-cam"), atol=1e-6
    )


def test_a_map_without_support_is_empty_and_not_stretched() -> None:
    model = build("small_cnn", {"grid": 1, "width": 4}).eval()
    torch.nn.init.constant_(model.linear.weight, -1.0)
    assert (class_activation(model, torch.rand(1, 1, 32, 32), "grad-cam") == 0).all()
