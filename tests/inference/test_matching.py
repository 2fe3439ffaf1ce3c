"""Series of a case and inputs of a model: matched by what they say of themselves, or refused with a sentence."""

import pytest

from inference.prediction import Frame, Series
from inference.serving.matching import Unmatched, matches
from inference.spec import Input

FRAME = (Frame("file:///f", "0" * 64, 2, 2),)
T1W, T2W = Input("MR", "T1W", slices=(-1, 0, 1)), Input("MR", "T2W", slices=(-1, 0, 1))
LATERAL, CT = Input("DX", view="lateral"), Input("CT")


def case(*series: tuple[str, str] | tuple[str, str, str]) -> list[Series]:
    return [Series(name, modality, FRAME, *view) for name, modality, *view in series]


def places(inputs: list[Input], series: list[Series]) -> dict[str, int]:
    return {name: match.place for name, match in matches(inputs, series).items()}


@pytest.mark.parametrize(
    ("inputs", "series", "expected"),
    [
        ([T1W, T2W], case(("T1W", "MR"), ("T2W", "MR")), {"T1W": 0, "T2W": 1}),
        ([T1W, T2W], case(("Localiser", "MR"), (" t2w ", "MR"), ("t1w", "")), {"T1W": 2, "T2W": 1}),
        ([LATERAL], case(("", "DX", "AP"), ("", "CR", "LL")), {"lateral": 1}),
        ([LATERAL], case(("lateral", "")), {"lateral": 0}),
        ([LATERAL], case(("", "")), {"lateral": 0}),
        ([LATERAL], case(("Spine", "DX")), {"lateral": 0}),
        ([CT], case(("Topogram", "DX"), ("Bone 1 mm", "CT")), {"CT": 1}),
        ([T1W], case(("sagittal", "MR")), {"T1W": 0}),
    ],
)
def test_by_name_then_by_modality_and_view(inputs: list[Input], series: list[Series], expected: dict[str, int]) -> None:
    assert places(inputs, series) == expected


@pytest.mark.parametrize(
    ("inputs", "series", "sentence"),
    [
        ([T1W, T2W], case(("T1W", "MR")), "The case lacks T2W; the model reads T1W, T2W."),
        ([T1W, T2W], case(("", "MR"), ("", "MR")), "The case lacks T1W and T2W; the model reads T1W, T2W."),
        ([T1W, T2W], [], "The case lacks T1W and T2W; the model reads T1W, T2W."),
        ([LATERAL], case(("", "DX", "AP")), "The case lacks lateral; the model reads lateral."),
        ([LATERAL], case(("Bone", "CT")), "The case lacks lateral; the model reads lateral."),
        ([LATERAL], case(("", ""), ("", "")), "The case lacks lateral; the model reads lateral."),
        ([CT], case(("Bone", "CT"), ("Soft", "CT")), "The case has 2 series for CT; name one of them CT."),
        ([T1W], case(("T1W", "MR"), ("t1w", "MR")), "The case has 2 series for T1W; name one of them T1W."),
    ],
)
def test_nothing_is_guessed(inputs: list[Input], series: list[Series], sentence: str) -> None:
    with pytest.raises(Unmatched) as refused:
        matches(inputs, series)
    assert str(refused.value) == sentence
