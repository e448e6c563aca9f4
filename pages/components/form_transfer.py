"""The settings of transfer learning as inputs; the Transfer page draws most of them in its own way."""

from __future__ import annotations

from pages.components.form_field import FormField

TRANSFER = {
    "transfer.backbone": FormField(
        title="Pretrained weights", help="What the network starts from; chosen on the Transfer page.", none="none"
    ),
    "transfer.head": FormField(
        title="Head",
        help="The last layers, which tell the classes apart. A new one starts from random weights.",
        labels={"network": "the network's own", "linear": "new, one layer", "hidden": "new, with a hidden layer"},
    ),
    "transfer.hidden_units": FormField(title="Hidden units", help="Units of the head's hidden layer.", step=32),
    "transfer.head_dropout": FormField(
        title="Head dropout", help="Share of the head's inputs switched off at random in each step.", step=0.05
    ),
    "transfer.frozen": FormField(
        title="Frozen stages",
        help="Stages that keep their weights, with commas between them; all: every stage but the head.",
        none="none",
        wide=True,
    ),
    "transfer.unfreeze_every": FormField(
        title="Unfreeze every … epochs",
        help="Gradual unfreezing: after so many epochs the next frozen stage from the top learns too; 0: never "
        "(Howard, Ruder, 2018).",
        step=0.5,
    ),
    "transfer.stage_lr": FormField(
        title="Rate of each stage",
        help="Factors on the learning rate, input side first (discriminative fine-tuning; Howard, Ruder, 2018).",
        none="1 for all",
        wide=True,
    ),
    "transfer.batch_norm": FormField(
        title="Frozen batch norm",
        help="Whether frozen stages keep their means and variances, or follow the new images.",
        labels={"held": "held", "adapting": "follows the images"},
    ),
    "transfer.views": FormField(
        title="Views kept",
        help="While all stages are frozen, the features of so many views of each training image are computed once and "
        "kept. The first view is the image itself, so augmentation needs 2 or more; 0 keeps none.",
        step=1,
    ),
}
