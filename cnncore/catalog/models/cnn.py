"""Plain small networks of tutorials."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, ModelSpec, Published

CNN: dict[str, ModelSpec] = {
    "cnn3": ModelSpec(
        title="Three-layer CNN",
        family="cnn",
        year=2017,
        builder="cnncore.models.cnn:cnn3",
        source="The three-layer CNN of widespread TensorFlow tutorials.",
        summary="Three 5×5 convolutions and two dense layers: 98.66 % on MNIST in the tutorial, over 99 % when tuned.",
        native_size=28,
        min_size=20,
        in_channels=1,
        num_classes=10,
        num_params=123_222,
        depth=5,
        facts=(
            "16, 32, 64 filters of 5×5 without padding; 2×2 max pooling after the second and third; 100 hidden units.",
            "The tutorial trains it for 10 epochs with Adam at 2e-4 and batches of 256.",
        ),
        cautions=(
            "Three layers are its convolutions; with both dense layers five have weights.",
            "Without padding it has 123,222 parameters; tutorials that pad their convolutions have more.",
        ),
        results=(
            Published(dataset="MNIST", protocol="Adam 2e-4, batch 256, 10 epochs", top1=98.66, source="the tutorial"),
        ),
        taps=("conv1", "conv2", "conv3", "fc1"),
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.0, "init": "pytorch"},
        choices=PLAIN,
    ),
}
