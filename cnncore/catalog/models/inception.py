"""GoogLeNet and its successors."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, ModelSpec

INCEPTION: dict[str, ModelSpec] = {
    "googlenet_small": ModelSpec(
        title="GoogLeNet (small images)",
        family="inception",
        year=2014,
        builder="cnncore.models.googlenet:googlenet_small",
        source="Szegedy et al.: Going deeper with convolutions, 2014, Table 1; stem adapted to 28-64 pixels.",
        summary="Nine Inception modules that look at 1×1, 3×3 and 5×5 neighborhoods at once.",
        native_size=32,
        min_size=28,
        in_channels=3,
        num_classes=10,
        num_params=10_333_886,
        depth=22,
        facts=(
            "Two auxiliary heads, on modules 4a and 4d, help the gradient while training; each counts 0.3 in the loss.",
            "22 layers with parameters, yet the original has far fewer parameters than AlexNet; "
            "here the auxiliary heads hold 4.4 of 10.3 million.",
            "The paper normalizes by local response; with batch normalization, the default here, it learns sooner.",
        ),
        taps=("inception3a", "inception3b", "inception4a", "inception4d", "inception5b"),
        defaults={"activation": "relu", "norm": "batch", "pool": "max", "dropout": 0.4, "init": "kaiming"},
        choices={**PLAIN, "pool": ("max", "average")},
        refusals={"pool=overlapping": "GoogLeNet's poolings between stages already overlap (3×3, stride 2)."},
        aux_weight=0.3,
    ),
}
