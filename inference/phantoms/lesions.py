"""What a fracture does to its body: the outline, the marrow, the soft tissue around it; sign by sign.

Nothing here asks for the truth: what is drawn hangs on the signs of the appearance (`Fracture.signs`,
`Fracture.freshness`) and on ``drawn_age`` (oedema on MR), so the likelihood of the signs
is all that any reader can know.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from inference.phantoms.contrast import CEMENT, FLUID, GAS, OEDEMA, ORGAN, TUMOUR
from inference.phantoms.features import signs_of
from inference.phantoms.fractures import OF_A_LESION, Fracture, Lesion
from inference.phantoms.volume import NONE, Canvas, Volume, Window, bump, inside, within

# Band under the end-plate (HU of a complete one), and how deep it and its lines lie (mm).
BAND_HU, BAND_DEPTH, LINE_DEPTH = 210.0, 3.6, 7.5


@dataclass(frozen=True, eq=False)
class Frame:
    """Where the points of a window lie in a body: ``forward``, ``left``, ``up`` (mm) from its centre, ``below`` (mm)
    under the upper end-plate, ``share`` −1…1 from the lower to the upper end-plate; ``a``, ``b``, ``h`` are half depth,
    half width, height. ``fine`` and ``coarse`` are textures of deviation about 1."""

    forward: Volume
    left: Volume
    up: Volume
    below: Volume
    share: Volume
    a: float
    b: float
    h: float

    def from_focus(self, focus: Lesion) -> Volume:
        """Distance (mm) from the middle of a lesion."""
        x, y, z = focus.along * self.a, focus.across * self.b, focus.up * self.h / 2
        squares = np.square(self.forward - np.float32(x)) + np.square(self.left - np.float32(y))
        result: Volume = np.sqrt(squares + np.square(self.up - np.float32(z)))
        return result

    def ellipsoid(self, centre: tuple[float, float, float], axes: tuple[float, float, float]) -> Volume:
        """Distance inside an ellipsoid, about right near its surface."""
        x, y, z = (
            (place - np.float32(middle)) / np.float32(half)
            for place, middle, half in zip((self.forward, self.left, self.up), centre, axes, strict=True)
        )
        result: Volume = (1 - np.sqrt(np.square(x) + np.square(y) + np.square(z))) * np.float32(min(axes))
        return result


def seen(fracture: Fracture, sign: str, channels: tuple[str, ...]) -> bool:
    """Whether the sign is drawn in these channels: some of those of malignancy are not told apart on CT."""
    if sign in fracture.freshness:
        return True
    modality = "CT" if "HU" in channels else "MR"
    return sign in fracture.signs and any(one.name == sign and modality in one.seen for one in signs_of("kind"))


def bulges(fracture: Fracture, left: Volume, below: Volume, share: Volume, b: float) -> tuple[Volume, Volume]:
    """How far (mm) front and back wall stand out; both end at the corners, which stay where the truth has them."""
    front, back = NONE, NONE
    if fracture.shows("cortical_step"):
        front = np.float32(fracture.step) * bump(below - 4.8, 2.0) * bump(left, 0.75 * b)
    if fracture.convex_posterior_wall:
        arch = np.clip(1 - np.square(share), 0, 1)
        back = np.float32(4.4) * arch * bump(left - np.float32(fracture.focus.across * b), 13.0)
    if fracture.shows("retropulsed_fragment"):
        back = back + np.float32(5.5) * bump(below - 5.2, 3.4) * bump(left, 9.0)
    return front, back


def change_marrow(
    fracture: Fracture, frame: Frame, values: list[Volume], channels: tuple[str, ...], fine: Volume, coarse: Volume
) -> Volume:
    """Change the marrow of a broken body in place; returns the share 0…1 of each voxel that is abnormal."""
    normal = [value.copy() for value in values]
    low = swollen(fracture, frame, coarse)
    tumour = replaced(fracture, frame, channels, coarse)
    if "HU" in channels:
        abnormal = harden(fracture, frame, values[channels.index("HU")], coarse)
    else:
        oedematous = low * np.float32(0.88 if fracture.drawn_age == "acute" else 0.0)
        blend(values, oedematous, OEDEMA.of(channels))
        abnormal = oedematous
    grain = 1 + np.float32(0.08) * fine
    blend(values, tumour, [TUMOUR.of(channels)[index] * grain for index in range(len(channels))])
    abnormal = np.maximum(abnormal, tumour)
    if seen(fracture, "heterogeneous_t2", channels):
        for index, channel in enumerate(channels):
            if channel != "T1W":
                values[index] *= 1 + abnormal * np.clip(np.float32(0.55) * coarse, -0.75, 1.1)
    if seen(fracture, "spared_marrow", channels):
        patch = inside(
            frame.ellipsoid((-0.30 * frame.a, 0.0, -0.26 * frame.h), (0.55 * frame.a, 0.8 * frame.b, 0.20 * frame.h))
            + np.float32(0.5) * coarse,
            1.5,
        )
        blend(values, patch, normal)
        abnormal = abnormal * (1 - patch)
    draw_lines(fracture, frame, values, channels, coarse)
    return abnormal


def blend(values: list[Volume], share: Volume, towards: list[Volume] | Volume) -> None:
    for index in range(len(values)):
        values[index] += share * (towards[index] - values[index])


def swollen(fracture: Fracture, frame: Frame, coarse: Volume) -> Volume:
    """Oedema: from the broken end-plate down, or in the whole body; its lower border wanders."""
    if fracture.shows("diffuse_t1_low"):
        return within(np.float32(0.97) + np.float32(0.06) * coarse, 0.8, 1)
    depth = (0.22 + 0.33 * fracture.extent) * frame.h
    return inside(np.float32(depth) - frame.below + np.float32(1.8) * coarse, 5.0)


def replaced(fracture: Fracture, frame: Frame, channels: tuple[str, ...], coarse: Volume) -> Volume:
    """Share of the marrow that tumour has taken: all, the focus, or nothing, by the signs that these channels show."""
    if fracture.shows("complete_replacement"):
        return within(np.float32(0.96) + np.float32(0.05) * coarse, 0.75, 1)
    if not any(seen(fracture, sign, channels) for sign in OF_A_LESION):
        return NONE
    return inside(np.float32(fracture.focus.radius) - frame.from_focus(fracture.focus) + coarse, 2.0)


def harden(fracture: Fracture, frame: Frame, hu: Volume, coarse: Volume) -> Volume:
    """CT: blood in the marrow, trabeculae driven into each other, sclerosis; returns the share that is abnormal."""
    hu += np.float32(28)
    wander = frame.below - np.float32(BAND_DEPTH) + np.float32(0.7) * coarse
    band = bump(wander, 2.6) * np.clip(1 + np.float32(0.25) * coarse, 0.4, 1.6)
    if fracture.impaction:
        hu += np.float32(BAND_HU * fracture.impaction) * band
    if fracture.shows("sclerosis"):
        hu += np.clip(np.float32(105) + np.float32(60) * coarse, 10, 260)
    return within(band * np.float32(max(fracture.impaction, 0.6)), 0, 1)


def draw_lines(
    fracture: Fracture, frame: Frame, values: list[Volume], channels: tuple[str, ...], coarse: Volume
) -> None:
    """Thin things along the broken end-plate: band, line, fluid, gas."""
    if seen(fracture, "t1_band", channels):
        band = inside(np.float32(5.0) - frame.below + np.float32(0.6) * coarse, 1.4) * np.float32(0.9)
        blend(values, band, np.array([0.15 if channel == "T1W" else 0.30 for channel in channels], np.float32))
    if seen(fracture, "fracture_line", channels):
        line = bump(frame.below - np.float32(LINE_DEPTH) - np.float32(1.1) * coarse, 0.85)
        line = line * inside(np.float32(0.86 * frame.a) - np.abs(frame.forward), 2.0)
        blend(values, line, np.array([0.12 if channel == "T1W" else 0.05 for channel in channels], np.float32))
    if seen(fracture, "fluid_sign", channels):
        blend(values, cleft(frame, 0.25, 3.6, 2.6, coarse), FLUID.of(channels))
    if seen(fracture, "vacuum_cleft", channels):
        blend(values, cleft(frame, -0.05, 5.6, 2.3, coarse), GAS.of(channels))


def cleft(frame: Frame, along: float, depth: float, thickness: float, coarse: Volume) -> Volume:
    """A flat lens under the end-plate: half as long as the body, thin at its ends."""
    x = (frame.forward / np.float32(frame.a) - np.float32(along)) / np.float32(0.52)
    y = frame.left / np.float32(0.62 * frame.b)
    thick = np.float32(thickness) * np.sqrt(np.clip(1 - np.square(x) - np.square(y), 0, 1))
    lens = inside(thick / 2 - np.abs(frame.below - np.float32(depth) - np.float32(0.5) * coarse), 0.8)
    return np.where(thick > 0, lens, 0)


def eaten(fracture: Fracture, frame: Frame, coarse: Volume) -> Volume:
    """Share of the cortex that is destroyed: the wall nearest to the focus."""
    if not fracture.cortical_destruction:
        return NONE
    focus = fracture.focus
    if abs(focus.across) > 0.5:
        x, y = focus.along * frame.a, focus.side * 0.95 * frame.b
    else:
        x, y = -0.95 * frame.a, focus.across * frame.b
    near = frame.ellipsoid((x, y, focus.up * frame.h / 2), (8.5, 9.5, 0.46 * frame.h))
    return inside(near + np.float32(1.5) * coarse, 2.0)


def paint_masses(canvas: Canvas, window: Window, fracture: Fracture, frame: Frame, wall: Volume) -> Volume:
    """Soft tissue around a broken body, laid before its bone is; returns the share that is tumour."""
    channels, focus = canvas.channels, fracture.focus
    soft = canvas.grid.softness
    tumour = NONE
    aside = abs(focus.across) > 0.5
    if seen(fracture, "swelling", channels):
        layer = np.minimum(np.float32(5.5) + wall, np.float32(0.62 * frame.h) - np.abs(frame.up))
        canvas.cover(window, np.where(frame.forward > 0.2 * frame.a, layer, -9), ORGAN._replace(t2w=0.5, stir=0.7))
    if seen(fracture, "paraspinal_mass", channels):
        if aside:
            centre, axes = (-0.1 * frame.a, focus.side * (frame.b + 4), 0.0), (13.0, 11.0, 0.75 * frame.h)
        else:
            centre, axes = (frame.a + 1.5, focus.across * frame.b, 0.0), (11.0, 15.0, 0.72 * frame.h)
        tumour = np.maximum(tumour, inside(frame.ellipsoid(centre, axes), soft))
    if seen(fracture, "epidural_mass", channels):
        place = -(frame.a + 2.5), focus.across * frame.b * 0.5, 0.0
        tumour = np.maximum(tumour, inside(frame.ellipsoid(place, (6.5, 9.5, 0.66 * frame.h)), soft))
    if tumour.ndim:
        canvas.paint(window, tumour, TUMOUR)
    return tumour


def focus_in(values: list[Volume], channels: tuple[str, ...], frame: Frame, focus: Lesion, coarse: Volume) -> Volume:
    """A lesion of a body that is not broken; returns the share that is tumour. CT does not show it."""
    if "HU" in channels:
        return NONE
    share = inside(np.float32(0.8 * focus.radius) - frame.from_focus(focus) + np.float32(0.8) * coarse, 2.0)
    blend(values, share, TUMOUR.of(channels))
    return share


def fill_with_cement(
    values: list[Volume], channels: tuple[str, ...], frame: Frame, amount: float, across: float, coarse: Volume
) -> None:
    """Cement of a vertebroplasty: a knobby cloud in the front half of the body."""
    axes = (0.62 * frame.a * (0.6 + 0.4 * amount), 0.55 * frame.b * (0.6 + 0.4 * amount), 0.36 * frame.h)
    cloud = frame.ellipsoid((0.12 * frame.a, across * frame.b, 0.0), axes) + np.float32(1.6) * coarse
    blend(values, inside(cloud, 1.2), CEMENT.of(channels))
