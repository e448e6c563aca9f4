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
        idea="A window of k pixels has n − k + 1 places in a row of n pixels. Padding adds p pixels at both ends, "
        "a dilation of d spreads the window over d(k − 1) + 1 pixels, and a stride of s takes only every s-th place. "
        "Whatever does not make a whole step is cut off, which is what the brackets ⌊ ⌋ say. In a stack every layer "
        "begins with the size that the one before has left; each sees more of the input, and where a window has no "
        "room, the stack breaks.",
        task="Keep 32 pixels at 32: which padding goes with a kernel of 3, of 5, of 7, and is there one for 4? Then "
        "open the stack that breaks. Where does it, and what mends all of it?",
        answer="With a stride of 1 it is p = (k − 1) / 2: 1, 2 and 3. A kernel of 4 would need half a pixel more on "
        "each side: with p = 1 it leaves 31 pixels, with p = 2 it makes 33. The stack breaks at layer 3. Windows of "
        "11 pixels with a stride of 4 leave 6 of the 32 pixels and the pooling 2 of those, too few for a window of 5. "
        "Padding or a smaller window only moves the problem on to the next pooling; an input of 67 × 67 is the "
        "smallest that gets through. That is why the lab's AlexNet for small images begins with smaller windows "
        "and a smaller stride.",
        train={"preset": "lenet_20s"},
        sources=(
            "Dumoulin and Visin 2016, A guide to convolution arithmetic for deep learning, chapters 2, 3 and 5.1",
            "LeCun et al. 1998, section II.B",
            "Krizhevsky et al. 2012, section 3.5",
            "Simonyan and Zisserman 2015, Table 1",
        ),
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
        idea="One output of a convolution sees a small window of pixels. One output of the next layer sees a window of "
        "those outputs, and so more pixels: layer by layer the receptive field grows, and faster with strides, pooling "
        "and dilation. That is what an output can see at all. How much each of these pixels counts for it, its "
        "effective field, is told by the gradient: many ways lead from the middle to the output, few from the edge.",
        task="Choose a unit of the last layer of Three 3 × 3, then of One 7 × 7, and show how much each pixel counts. "
        "What do both see, which pixels count, and how many weights does each take?",
        answer="Both see the same 7 × 7 pixels. Three layers of C channels take 27 C² weights and bend the signal "
        "three times; the single one takes 49 C² and bends it once: VGG's argument. With random weights all 49 pixels "
        "count alike for the large window. For the three small ones the middle 3 × 3, which are 18 % of the pixels, "
        "have 50 % of the influence, since 7 ways along each side lead to the middle, and only one to each corner.",
        train={"model.name": "vgg11", "data.dataset": "cifar10"},
        sources=(
            "Simonyan and Zisserman 2015, section 2.3",
            "Luo et al. 2016, Understanding the effective receptive field, section 2",
            "Yu and Koltun 2016 (dilation)",
        ),
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
        idea="Two layers learn only what is to be added to their input x: they put out F(x) + x, and the way around "
        "them on which x gets there is called a shortcut. So signals and gradients have a way past every block, and a "
        "block with nothing to contribute needs no more than weights of 0. Deep networks without shortcuts fail in "
        "training, and it is neither for vanishing gradients nor for over-fitting: the third view tells the three "
        "apart by trainings that this lab has recorded.",
        task="Drag the layers to 100: which stack still has a gradient at its first layer? Then switch batch "
        "normalization on. Does the plain stack's gradient still vanish, and does a deep plain network train well "
        "then (third view)?",
        answer="With weights that start too small, a plain stack of 20 layers leaves 2 × 10⁻⁹ of a gradient, one of "
        "100 layers 9 × 10⁻⁴⁶; with shortcuts 0.35 and 0.43, for the sum hands the gradient on unchanged, whatever the "
        "layers do to it. With batch normalization it does not vanish: in the plain stack it even grows, over 20 "
        "layers to 50 times its size. All the same the recorded plain network of 32 layers ends with 34 % wrong "
        "answers on its own training images, where 8 layers have 4 %. That is degradation: the gradient at the "
        "first layer is as large as at the last, so it has not vanished, and where the training error itself is worse "
        "it is no over-fitting. With shortcuts 32 layers reach 1 %.",
        train={"model.name": "resnet20", "data.dataset": "cifar10"},
        sources=(
            "He et al. 2015 (Deep residual learning), sections 1, 3.1 and 4.1",
            "Yang et al. 2019 (A mean field theory of batch normalization): gradients that grow",
        ),
    ),
    "transfer": Lesson(
        title="Transfer",
        idea="A network that was trained on a million photographs has learned things that other tasks need, too. Its "
        "early stages answer to colors and edges, which every picture has; its late ones to textures and parts of the "
        "things it was trained on. So one keeps what it knows and trains only the end anew: a new head alone, which is "
        "called feature extraction, or the last stages with it, which is called fine-tuning.",
        task="Move *How deep* from the stem to the last stage: how do the places that excite a map change? Then "
        "measure under *Which of them to train*, once with CIFAR-10 and once with MNIST's digits: does every stage "
        "make the classes easier to tell apart?",
        answer="The stem answers to spots of a color and to edges a few pixels long; the last stages to fur, wheels, "
        "wings and heads, wherever they are. For CIFAR-10 each stage helps: a linear classifier was right in 44 % of "
        "the images on the pixels and in 89 % on the last stage (EfficientNet-Lite0, 300 images, 5 folds), so that a "
        "new head alone goes far. Digits look like nothing in ImageNet: 93 % on the pixels, only 55 to 59 % on the "
        "means of the first two stages, 96 % on stage 4 and 94 % on the last one, which was made for other things. The "
        "less your images look like what a network has seen, the more of its late stages are worth training. That has "
        "its price: with one of its six stages learning, a step takes 58 % of the work of training everything; with "
        "the head alone next to none, since the features of every image are computed once and kept.",
        sources=(
            "Zeiler and Fergus 2014, Figure 2",
            "Yosinski et al. 2014, Figure 2",
            "Alain and Bengio 2016",
        ),
    ),
    "curves": Lesson(
        title="Reading curves",
        idea="Two curves tell most of what goes wrong: the loss on images that are trained on, and on images that are "
        "not.",
        task="Spot the problem in each of the recorded trainings.",
        answer="Training far below validation: over-fitting. Both high: too small, or too short. Jumps and NaN: the "
        "learning rate is too high. Validation better than it should be: images have leaked.",
    ),
}
