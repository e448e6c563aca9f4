"""The methods of the view Why and their settings: what each shows, how to read it, and what it cannot tell."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method of `cnncore.questions.QUESTIONS["attribution"]`.

    Attributes:
        title: As its authors call it.
        shows: How it works and how to read it, in a sentence.
        silent: What it cannot tell.
        source: Authors and year.
        settings: Keys of SETTINGS.
    """

    title: str
    shows: str
    silent: str
    source: str
    settings: tuple[str, ...] = ()


METHODS: dict[str, Method] = {
    "gradcam": Method(
        title="Grad-CAM",
        shows="Maps of a late layer, each weighted by how much it raises the class's score; bright places speak for "
        "the class.",
        silent="It is as coarse as the layer's maps, and what speaks against the class is left out.",
        source="Selvaraju et al., 2017",
    ),
    "occlusion": Method(
        title="Occlusion",
        shows="A square of the color that is zero for the network, as a rule its images' mean color, covers one place "
        "after the other; red where the class's score falls without that place, blue where it rises.",
        silent="Of two things that can stand in for each other neither seems to matter; and the square itself is "
        "something the network never saw in training.",
        source="Zeiler and Fergus, 2014",
        settings=("window", "stride"),
    ),
    "integrated_gradients": Method(
        title="Integrated gradients",
        shows="From an even picture of the color that is zero for the network, as a rule its images' mean color, to "
        "this one in small steps, the slopes of the class's score are added up: each pixel's share of what the score "
        "gained, red for and blue against the class.",
        silent="Pixels of that color get nothing, however much they matter, and neighboring pixels' shares are noisy.",
        source="Sundararajan, Taly and Yan, 2017",
        settings=("steps",),
    ),
    "smoothgrad": Method(
        title="SmoothGrad",
        shows="The slope of the class's score at each pixel, averaged over noisy copies of the picture; bright where a "
        "small change would move the score most.",
        silent="It says where the score is touchy, not what raised it, nor for or against.",
        source="Smilkov et al., 2017",
        settings=("samples", "noise"),
    ),
    "gradient": Method(
        title="Plain gradient",
        shows="The slope of the class's score at each pixel of this very picture; bright where a small change would "
        "move the score most.",
        silent="It is noisy, and where the network is sure the slope can vanish although the place matters.",
        source="Simonyan, Vedaldi and Zisserman, 2014",
    ),
}
"""In the order in which they are shown."""
DEFAULT_METHODS = ("gradcam", "occlusion", "integrated_gradients")


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A number that a method is told, with its range.

    Attributes:
        title: On its field.
        help: What it does.
        whole: Whether it is a whole number.
    """

    title: str
    help: str
    least: float
    most: float
    default: float
    step: float = 1
    whole: bool = True

    def number(self, text: str) -> float | None:
        """The value a text stands for; None where it is none or out of range."""
        try:
            value = int(text) if self.whole else float(text)
        except ValueError:
            return None
        return value if self.least <= value <= self.most else None


SETTINGS: dict[str, Setting] = {
    "steps": Setting(
        title="Steps",
        help="Points on the way from the even picture to this one. More of them add up to the score more exactly.",
        least=8,
        most=256,
        default=32,
        step=8,
    ),
    "window": Setting(
        title="Window, pixels",
        help="Side of the square that covers. 0 takes a seventh of the picture's side.",
        least=0,
        most=512,
        default=0,
    ),
    "stride": Setting(
        title="Stride, pixels",
        help="How far the square moves each time: small strides draw finer and take longer. 0 takes half a window.",
        least=0,
        most=512,
        default=0,
    ),
    "samples": Setting(
        title="Noisy copies",
        help="How many are averaged. Twice as many take twice as long and leave less noise.",
        least=2,
        most=128,
        default=24,
    ),
    "noise": Setting(
        title="Noise",
        help="Its standard deviation as a share of the picture's range of values; its authors recommend 0.1 to 0.2.",
        least=0.01,
        most=1.0,
        default=0.15,
        step=0.05,
        whole=False,
    ),
}
