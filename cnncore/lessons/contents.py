"""The lessons in their order: what each is about, what to try, and where it leads. One row a lesson."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """One idea.

    Attributes:
        title: What it is called.
        idea: The idea in a few sentences.
        task: What to try.
        answer: What one finds, and why.
        train: Settings of the Train page that go with it, as a link has them.
        sources: Where it was first shown.
    """

    title: str
    idea: str
    task: str
    answer: str
    train: Mapping[str, str] = field(default_factory=dict[str, str])
    sources: tuple[str, ...] = ()


LESSONS: dict[str, Lesson] = {
    "images": Lesson(
        title="Images are numbers",
        idea="A network sees no picture, it sees numbers: for each pixel one number of gray, or three for red, green "
        "and blue. Written one channel after the other that is an array of the shape (channels, height, width); many "
        "images in a row make a batch.",
        task="Choose a pixel of something bright yellow and read its three numbers. Which of them is small?",
        answer="Blue. Screens mix yellow from red and green; a channel alone is just a gray picture of how much of its "
        "color there is.",
    ),
    "convolution": Lesson(
        title="Convolution",
        idea="A small window of numbers, the kernel, slides over the image. At each place every number of it is "
        "multiplied by the pixel below it, and the products are added up: one number of the feature map. The same "
        "kernel is used everywhere, so what it looks for is found wherever it is.",
        task="Which kernel gives 0 on every plain area, and why? Then change one number of it and look again.",
        answer="Those whose numbers add up to 0: on a plain area every product has the same pixel in it, so the sum is "
        "that pixel times 0. Change one number and the plain areas light up: the sum is no longer 0.",
        train={"preset": "lenet_20s"},
        sources=("LeCun et al. 1989",),
    ),
    "size": Lesson(
        title="How large is the output?",
        idea="A window of k pixels fits n − k + 1 times side by side into n pixels. Padding p on both sides makes room "
        "for 2p more, a stride of s keeps only every s-th place: ⌊(n + 2p − k) / s⌋ + 1.",
        task="Find a kernel and a padding that keep 32 pixels at 32. Is there one for a kernel of 4?",
        answer="k = 3 with p = 1, k = 5 with p = 2: p = (k − 1) / 2. An even kernel would need half a pixel on each "
        "side, so padding of one number on all sides cannot keep the size.",
        train={"preset": "lenet_20s"},
    ),
    "pooling": Lesson(
        title="Pooling",
        idea="A window slides over each map by itself and keeps its largest value, or the mean. The map gets smaller, "
        "and where exactly something was found matters less.",
        task="Shift the image by one pixel. After which pooling has less changed: 2 × 2 with stride 2, or 3 × 3 with "
        "stride 2?",
        answer="After the overlapping one, as a rule: its windows share pixels, so a maximum that moves by one pixel "
        "often stays in a window that it was in before. AlexNet used it for that.",
        train={"preset": "lenet_20s", "model.pool": "overlapping"},
        sources=("LeCun et al. 1998", "Krizhevsky et al. 2012, section 3.4"),
    ),
    "dense": Lesson(
        title="Why not dense layers?",
        idea="A dense layer gives every pixel a weight of its own for every output: it knows no neighbors. A "
        "convolution looks at neighbors only and uses the same few weights everywhere.",
        task="Shuffle the pixels of all images in the same way. Which of the two networks gets worse?",
        answer="The convolutional one. For the dense one nothing has changed, since it never knew which pixels are "
        "neighbors; the convolutional one lost what its windows rely on.",
    ),
    "field": Lesson(
        title="Receptive field",
        idea="One output of a convolution sees a few pixels; one output of the next layer sees some of those outputs, "
        "so more pixels. Layer by layer the receptive field grows, with strides faster.",
        task="Compare three layers of 3 × 3 with one of 7 × 7: what does one output see, and how many weights does it "
        "take?",
        answer="Both see 7 × 7 pixels. Three layers of C channels take 27 C² weights, the single one 49 C², and the "
        "three have two more nonlinearities in between: VGG's argument. The gradient shows that the middle counts far "
        "more than the edge.",
        train={"model.name": "vgg11", "data.dataset": "cifar10"},
        sources=("Simonyan and Zisserman 2015, section 2.3", "Luo et al. 2016"),
    ),
    "activations": Lesson(
        title="Activations",
        idea="Without a bend between them, two layers are one layer. The bend decides what happens to the gradient on "
        "its way back: its slope is multiplied in at every layer.",
        task="Send a gradient through 20 layers with sigmoids, then with ReLUs and He's initialization.",
        answer="A sigmoid's slope is at most 1/4, so that 20 layers leave next to nothing. A ReLU's slope is 1 or 0, "
        "and He's weights make up for the half that is 0.",
        train={"preset": "lenet_20s", "model.activation": "sigmoid"},
        sources=("Glorot and Bengio 2010", "He et al. 2015"),
    ),
    "normalization": Lesson(
        title="Normalization and dropout",
        idea="Batch normalization gives every channel mean 0 and deviation 1 over the batch, and then a scale and a "
        "shift that are learned. Local response normalization lets neighboring channels compete. Dropout switches "
        "random units off while training.",
        task="Multiply the activations by 100. After which of the three does nothing change?",
        answer="After batch normalization: it divides by the deviation, which has become 100 times larger too.",
        train={"model.name": "vgg11", "data.dataset": "cifar10", "model.norm": "batch"},
        sources=("Ioffe and Szegedy 2015", "Krizhevsky et al. 2012", "Srivastava et al. 2014"),
    ),
    "augmentation": Lesson(
        title="Augmentation",
        idea="A shifted cat is still a cat. Changing the training images at random in ways that keep their meaning is "
        "like having more of them.",
        task="Which change turns one digit into another?",
        answer="Half a turn makes a 6 a 9; a mirrored 2 looks like no digit, or like a 5. What is allowed depends on "
        "what the images show.",
        train={"model.name": "resnet20", "data.dataset": "cifar10", "augment.flip_horizontal": "0.5"},
    ),
    "inception": Lesson(
        title="Inception",
        idea="Windows of several sizes side by side, and 1 × 1 convolutions before the large ones, which reduce the "
        "channels first and so make them affordable.",
        task="Take the reductions away. What happens to the multiplications and to the channels?",
        answer="They multiply: the 5 × 5 alone costs almost 10 times as much, and since pooling hands on every "
        "channel, each module leaves more than it got.",
        train={"model.name": "googlenet", "data.dataset": "cifar10"},
        sources=("Lin et al. 2014", "Szegedy et al. 2015, Figure 2"),
    ),
    "residual": Lesson(
        title="Residual connections",
        idea="Instead of learning the whole function, two layers learn what is to be added: F(x) + x. Signals and "
        "gradients have a way around every block.",
        task="Make the stacks deeper. Which of them still has a gradient at its first layer?",
        answer="The residual one: the sum hands the gradient on unchanged, whatever the layers do to it. That deep "
        "plain networks are worse even in training is called degradation; with batch normalization it is not "
        "a matter of vanishing gradients, and since the training error is worse too, none of over-fitting.",
        train={"model.name": "resnet20", "data.dataset": "cifar10"},
        sources=("He et al. 2015",),
    ),
    "transfer": Lesson(
        title="Transfer",
        idea="Early layers respond to edges and colors, which all pictures have; late ones to parts of the things they "
        "were trained on. So the early ones can be kept for other things.",
        task="Which layers would you train anew for flowers, which for X-rays?",
        answer="For flowers the head is often enough: ImageNet is full of things that grow. The less the pictures look "
        "like what the network has seen, the more of its late layers are worth training too.",
        sources=("Yosinski et al. 2014",),
    ),
    "curves": Lesson(
        title="Reading curves",
        idea="While a network learns, two curves tell most of what can go wrong: the loss on the images that it is "
        "trained on, and on validation images, which it is not. A third number, the accuracy on test images, is looked "
        "at once, at the end. Below are ten real trainings of small networks on handwritten digits. Some are as they "
        "should be.",
        task="Go through the ten cases: what is wrong with each, if anything? Then find the three in which validation "
        "is clearly better than training for many epochs. Only in one of them is something wrong: how can one tell?",
        answer="Cases 7, 8 and 10. In 7 and 10 the training images are shifted, turned and zoomed, so that training is "
        "harder than validation; both go on rising, and the test agrees. In case 8 nothing made training harder: its "
        "labels are wrong, and later validation falls while training rises. In general, compare three things: training "
        "with what could be reached (under-fitting, learning rate), validation with training (over-fitting, wrong "
        "labels), and the test with validation (leakage).",
        train={"preset": "lenet_20s", "data.train_images": "100", "training.epochs": "40"},
        sources=(
            "Prechelt 1998, Early stopping – but when?",
            "Goodfellow, Bengio and Courville 2016, Deep Learning, chapters 5.2 and 11",
            "Zhang et al. 2017, Understanding deep learning requires rethinking generalization, section 2",
        ),
    ),
}
