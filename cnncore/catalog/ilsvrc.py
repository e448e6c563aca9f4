"""The winners of the ImageNet challenge's classification task, 2010 to 2015.

Source of the errors up to 2014, and of the human one: Russakovsky et al., ImageNet large scale visual recognition
challenge, 2015, Tables 5 and 8 and section 6.4, without outside training data. 2015: He et al., Deep residual learning,
2015, Table 5. Depths: each entry's own paper.

They are test errors of whole entries, mostly of several networks and many crops an image, and therefore stand in no
table with results of one network.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One entry of the challenge.

    Attributes:
        place: Rank in the classification task of its year.
        top5_error: Share of test images in percent that have not the right class among the first five guesses.
        depth: Layers with weights; 0 where nothing was learned in layers.
        family: Family of the network in `cnncore.catalog.FAMILIES`, or empty.
        source: Where network and error are described.
    """

    year: int
    name: str
    top5_error: float
    depth: int
    source: str
    place: int = 1
    family: str = ""


ENTRIES = (
    Entry(
        year=2010,
        name="NEC-UIUC",
        top5_error=28.2,
        depth=0,
        source="Lin et al.: Large-scale image classification, 2011; hand-made features and support vector machines.",
    ),
    Entry(
        year=2011,
        name="XRCE",
        top5_error=25.8,
        depth=0,
        source="Perronnin, Sánchez, Mensink: Improving the Fisher kernel, 2010; hand-made features.",
    ),
    Entry(
        year=2012,
        name="AlexNet",
        top5_error=16.4,
        depth=8,
        family="alexnet",
        source="Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional networks, 2012; "
        "five networks.",
    ),
    Entry(
        year=2013,
        name="Clarifai",
        top5_error=11.7,
        depth=8,
        source="Zeiler, Fergus: Visualizing and understanding convolutional networks, 2013; several networks.",
    ),
    Entry(
        year=2014,
        name="GoogLeNet",
        top5_error=6.7,
        depth=22,
        family="inception",
        source="Szegedy et al.: Going deeper with convolutions, 2014; seven networks, 144 crops.",
    ),
    Entry(
        year=2014,
        name="VGG",
        top5_error=7.3,
        depth=19,
        place=2,
        family="vgg",
        source="Simonyan, Zisserman: Very deep convolutional networks, 2014; seven networks.",
    ),
    Entry(
        year=2015,
        name="ResNet",
        top5_error=3.57,
        depth=152,
        family="resnet",
        source="He, Zhang, Ren, Sun: Deep residual learning, 2015; six networks.",
    ),
)
"""The winner of each year, and VGG, which came second."""

HUMAN_TOP5_ERROR = 5.1
"""Top-5 error in percent of one trained person on 1,500 of the test images; a second one had 12.0."""
