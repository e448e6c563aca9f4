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
        train_time: How long that takes on one processor core, once its images are there.
        sources: Where it was first shown.
    """

    title: str
    idea: str
    task: str
    answer: str
    train: Mapping[str, str] = field(default_factory=dict[str, str])
    train_time: str = "20 s"
    sources: tuple[str, ...] = ()


_FEW_PHOTOGRAPHS = {"data.dataset": "cifar10", "data.train_images": "4000", "training.epochs": "5"}
"""So few that a processor is done in minutes."""

LESSONS: dict[str, Lesson] = {
    "images": Lesson(
        title="Images are numbers",
        idea="A network does not see a picture, it sees numbers: one for each pixel of a gray image, three (red, green"
        " and blue) for each pixel of a color image, usually from 0 to 255. All numbers of one color form a channel; "
        "shown alone, a channel is a gray picture of how much of its color there is. PyTorch stores an image as an "
        "array of the shape (channels, height, width), Keras by default as (height, width, channels): the same numbers"
        " in a different order. Several images stacked on one another make a batch.",
        task="Choose the flower, and point at a petal at its rim and at one in its middle. Which of red, green and "
        "blue tells them apart best? Then go down to 8 × 8 pixels: how many numbers are left, and is it still a "
        "flower?",
        answer="Green: at 24 × 24 pixels about 150 at the rim and 50 in the middle, while red falls only from 218 to "
        "182. Less green turns orange into red, which is why the hue falls from about 28° to 11°. At 8 × 8 pixels 3 · "
        "8 · 8 = 192 numbers are left, and one still sees a flower.",
        train={"preset": "lenet_20s"},
        sources=(
            "Smith 1978, Color gamut transform pairs (HSV)",
            "LeCun et al. 1998 (MNIST)",
            "Krizhevsky 2009 (CIFAR-10)",
            "Russakovsky et al. 2015, Table 2 (ImageNet)",
        ),
    ),
    "convolution": Lesson(
        title="Convolution",
        idea="A small window of numbers, the kernel, slides over the image. At each place each of its numbers is "
        "multiplied by the pixel under it, and the products are added up: that gives one number of the feature map. "
        "The same kernel is used everywhere, so it finds what it looks for wherever that is. With several channels "
        "there is one kernel for each channel, and the results are added up: together these kernels are one filter, "
        "and every filter makes one feature map.",
        task="Which kernels give 0 on every plain area of the shapes, and why? Then change one number of such a kernel "
        "and look at the whole map again.",
        answer="Edges and the two Sobel kernels, whose numbers add up to 0: on a plain area every number meets the "
        "same pixel, so the sum is that pixel times 0. Change one number and no plain area is 0 any more: each is its "
        "pixel times the new sum, bright ones more than dark ones. Kernels whose numbers add up to 1, such as the "
        "blurs and Sharpen, leave plain areas as they are.",
        train={"preset": "lenet_20s"},
        sources=(
            "LeCun et al. 1989, Backpropagation applied to handwritten zip code recognition",
            "Dumoulin and Visin 2016, A guide to convolution arithmetic for deep learning, chapter 2",
        ),
    ),
    "size": Lesson(
        title="How large is the output?",
        idea="A window of k pixels has n − k + 1 places in a row of n pixels. Padding adds p pixels at both ends, a "
        "dilation of d spreads the window over d(k − 1) + 1 pixels, and a stride of s takes only every s-th place. "
        "Pixels that are too few for another step are left over: the brackets ⌊ ⌋ mean rounding down. In a stack, the "
        "output of one layer is the input of the next. Each layer sees more of the image than the one before, and "
        "where a window no longer fits, the stack breaks.",
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
        idea="A window slides over each feature map separately and keeps the largest value under it, or the mean. The "
        "map gets smaller. As a rule a small shift of the image changes it less than the image itself, but it does "
        "change it. With a stride of 2, a shift by 2 pixels moves the map by one place and leaves its values alone; a "
        "shift by 1 pixel falls between two places. Global pooling keeps one number of the whole map, which no longer "
        "says where anything is.",
        task="Shift the digit by one pixel, then by two. After which of the two have the pooled maps merely moved? Do "
        "overlapping windows (3 × 3 with stride 2) always change less than those side by side (2 × 2)?",
        answer="After two, the stride: moved back by one place, every value is what it was. At one pixel to the right "
        "the image changes by 58% of its contrast, its maps of largest values by 41% (2 × 2) and 32% (overlapping), "
        "and moving back does not help. But overlapping windows are not always better: over our four samples, shifted "
        "by one pixel in the four directions, it is 48% for the image, 32% for 2 × 2 and 38% for overlapping windows; "
        "try Shapes. AlexNet took them because its top-1 error fell by 0.4 points. What does help against shifts "
        "between two places is to blur before the stride (Zhang 2019). The global maximum and mean stay the same as "
        "long as nothing leaves the image.",
        train={"preset": "lenet_20s", "model.pool": "overlapping"},
        sources=(
            "LeCun et al. 1998, section II.B",
            "Krizhevsky et al. 2012, section 3.4",
            "Zhang 2019, Making convolutional networks shift-invariant again",
            "Lin et al. 2014, section 3.2 (global average pooling)",
        ),
    ),
    "dense": Lesson(
        title="Why not dense layers?",
        idea="A dense layer gives every output a weight of its own for every pixel: each output looks at the whole "
        "image, and none knows which pixels are neighbors. A convolution's output looks at one small window, and all "
        "outputs share the same few weights. That takes far fewer weights, and what was learned in one place holds in "
        "all others. It is also an assumption about images: that neighbors belong together.",
        task="Shift the image: which outputs move along with it? Then open *Shuffle the pixels* and run the "
        "experiment. Which of the two networks gets worse, and why does the other one not care?",
        answer="The convolution's outputs move along with the image. The dense layer's become something else, so it "
        "has to learn every digit in every place anew. When the pixels of all images are shuffled in the same way, the"
        " convolutional network gets worse and falls to about where the dense one is, because the pixels under its "
        "windows are no longer neighbors. In our run (5 trainings each, 3 epochs, seeds 0 to 4, one processor core) "
        "its test accuracy fell from 94.2 % to 90.1 %, while the dense network had 89.6 % both times. For the dense "
        "network nothing has changed: with its initial weights shuffled in the same way it would compute exactly the "
        "same. The small differences that you see are chance, like those between two seeds.",
        train={"preset": "lenet_20s"},
        sources=(
            "LeCun 1989, Generalization and network design strategies",
            "LeCun and Bengio 1995, Convolutional networks for images, speech, and time series",
        ),
    ),
    "field": Lesson(
        title="Receptive field",
        idea="One output of a convolution sees a small window of pixels. One output of the next layer sees a window of"
        " those outputs, and so more pixels: layer by layer the receptive field grows, and faster with strides, "
        "pooling and dilation. That is what an output can see at all. How much each of these pixels counts for it, its"
        " effective field, is measured by the gradient: many paths lead from the middle to the output, few from the "
        "edge.",
        task="Choose a unit of the last layer of Three 3 × 3, then of One 7 × 7, and show how much each pixel counts. "
        "What do both see, which pixels count, and how many weights does each take?",
        answer="Both see the same 7 × 7 pixels. Three layers of C channels take 27 C² weights and apply three "
        "nonlinearities; the single one takes 49 C² and applies one: VGG's argument. With random weights all 49 pixels"
        " count alike for the large window. For the three small ones the middle 3 × 3, which are 18 % of the pixels, "
        "have 50 % of the influence, since along each side 7 paths lead to the middle pixel and only one to each end.",
        train={"model.name": "vgg11_small", **_FEW_PHOTOGRAPHS},
        train_time="6 min",
        sources=(
            "Simonyan and Zisserman 2015, section 2.3",
            "Luo et al. 2016, Understanding the effective receptive field, section 2",
            "Yu and Koltun 2016 (dilation)",
        ),
    ),
    "activations": Lesson(
        title="Activations",
        idea="Without a nonlinearity between them, two layers compute no more than one; the activation is that "
        "nonlinearity. On its way back, a gradient is multiplied at every layer by the weights and by the slope of the"
        " activation. Unless the two balance each other, it vanishes or explodes over many layers. A ReLU whose input "
        "is below 0 for every image is dead: its slope is 0 for all of them, so its own weights are no longer trained.",
        task="Send a gradient back through 20 layers of sigmoids, then of ReLUs, both with He's weights. How much of "
        "it reaches the first layer? Then set the bias to −0.5: what happens to ReLUs, and do leaky ReLUs save the "
        "stack?",
        answer="20 layers of sigmoids leave 3 × 10⁻¹⁰ of a gradient with He's weights and 10⁻¹² with Glorot's: a "
        "sigmoid's slope is at most 1/4. Through ReLUs with He's weights 0.75 arrives: their slope is 1 or 0, and He's"
        " weights are larger by just enough to make up for the half that is 0. With a bias of −0.5 every ReLU from "
        "layer 7 on is dead, and the gradient is exactly 0. Leaky ReLUs keep a slope of 0.01 below 0, so none of them "
        "dies, and a single one can recover. But where whole layers lie below 0, a factor of 0.01 for each layer "
        "leaves next to nothing too: 2 × 10⁻²⁹.",
        train={"preset": "lenet_20s", "model.activation": "sigmoid"},
        sources=(
            "Glorot and Bengio 2010, sections 3 and 4",
            "He et al. 2015 (Delving deep into rectifiers), section 2.2",
            "Maas et al. 2013: leaky ReLUs",
            "Lu et al. 2020 (Dying ReLU and initialization)",
        ),
    ),
    "normalization": Lesson(
        title="Normalization and dropout",
        idea="Batch normalization gives every channel mean 0 and standard deviation 1, over all places of all images "
        "of the batch, and then a scale γ and a shift β that are learned. Local response normalization divides each "
        "value by a number that grows with the values of the neighboring channels at the same place, so that channels "
        "compete. Dropout sets random units to 0. Batch normalization and dropout work differently after training: "
        "running averages stand in for the statistics of the batch, and every unit takes part.",
        task="Multiply the activations by 100. Which of the three gives the same result as before? Then switch batch "
        "normalization between “While training” and “After training” and move through the batches: when does the first"
        " image come out nearly the same in all of them?",
        answer="Batch normalization: mean and deviation have become 100 times larger too, and that cancels. (Only ε = "
        "0.00001 under the root does not grow along; at × 0.1 the deviation of the edges is 0.999.) Dropout passes the"
        " factor on. Local response normalization passes on less of it the larger the values are: with AlexNet's "
        "constants the mean of the edges grows 29 times instead of 100 times. While training, the first image comes "
        "out differently in every batch, since the other images influence mean and deviation; with the running "
        "averages of some dozens of batches it changes less than a tenth as much.",
        train={"model.name": "vgg11", "model.norm": "batch", **_FEW_PHOTOGRAPHS},
        train_time="6 min",
        sources=(
            "Ioffe and Szegedy 2015, section 3",
            "Krizhevsky et al. 2012, section 3.3",
            "Srivastava et al. 2014",
        ),
    ),
    "augmentation": Lesson(
        title="Augmentation",
        idea="A shifted cat is still a cat. Training images are changed at random, anew in every epoch, in ways that "
        "keep what they show: that is almost like having more of them. Validation and test images stay as they are. "
        "Which changes keep the label depends on the images.",
        task="Go to “Does it change the label?” and look for a change that turns one digit into another. And is there "
        "one after which you still see the same digit, but the judge that only compares pixels does not?",
        answer="Turned by 150°, 34 of 50 sixes are taken for nines, and by 180° 40 of 50 nines for sixes; upside down,"
        " 32 of 50 fives for twos. With such changes a network would be trained on wrong labels. Shifted by 10 % a "
        "digit is the same for you, but the judge, who was 94 % right, is right about fewer than half: it only knows "
        "digits in the middle. A network, too, copes better with shifts that it was trained with.",
        train={"model.name": "resnet20", "augment.flip_horizontal": "0.5", **_FEW_PHOTOGRAPHS},
        train_time="2 min",
        sources=(
            "Krizhevsky et al. 2012, section 4.1",
            "Zhang et al. 2017 (mixup)",
            "Zhong et al. 2017 (random erasing)",
            "Yun et al. 2019 (CutMix)",
        ),
    ),
    "inception": Lesson(
        title="Inception",
        idea="How large should a window be? An Inception module uses several sizes side by side and stacks their "
        "feature maps. Large windows over many channels are expensive, so 1 × 1 convolutions go before them: they look"
        " at one pixel at a time and mix its many channels into fewer, like a small dense network that is the same for"
        " every pixel. Large windows can also be factorized into small ones that together see as much.",
        task="Take the reductions away from module 3a: switch to Naive. What happens to the multiplications, and to "
        "the channels after nine such modules?",
        answer="The module takes 2.4 times the multiplications, its 5 × 5 branch alone 9.7 times. Pooling keeps the "
        "number of channels, so a naive module passes on all that it got and adds its own: 416 after the first, 2,208 "
        "after nine, where modules with reductions stay at 256. Every later module pays for those, so that nine naive "
        "ones take 12.5 times the multiplications.",
        train={"model.name": "googlenet_small", **_FEW_PHOTOGRAPHS},
        train_time="5 min",
        sources=(
            "Lin et al. 2014, Network in network, section 3.1",
            "Szegedy et al. 2015, Going deeper with convolutions, Figure 2 and Table 1",
            "Szegedy et al. 2016, Rethinking the Inception architecture, sections 3.1 and 3.2",
        ),
    ),
    "residual": Lesson(
        title="Residual connections",
        idea="Two layers learn only what is to be added to their input: the block's output is F(x) + x, and a shortcut"
        " carries x around the layers. So signals and gradients have a way past every block, and a block with nothing "
        "to contribute only needs weights of 0. Deep networks without shortcuts train badly even where their gradients"
        " are healthy: this is called degradation. The third view tells it apart from vanishing gradients and from "
        "over-fitting, with recorded trainings of this lab.",
        task="Drag the layers to 100: which stack still has a gradient at its first layer? Then switch batch "
        "normalization on. Does the plain stack's gradient still vanish, and does a deep plain network train well "
        "then (third view)?",
        answer="With weights that start too small, a plain stack of 20 layers leaves 2 × 10⁻⁹ of a gradient, one of "
        "100 layers 9 × 10⁻⁴⁶; with shortcuts 0.35 and 0.43: whatever the layers do to it, the shortcut carries the "
        "gradient past them, and only the ReLU after each sum takes some of it. With batch normalization it does not "
        "vanish: in the plain stack it even grows, over 20 layers to 54 times its size. All the same the recorded "
        "plain network of 32 layers ends with 34 % wrong answers on its own training images, where 8 layers have 4 %. "
        "That is degradation: the gradient at the first layer is as large as at the last, so it has not vanished, and "
        "where the training error itself is worse it is no over-fitting. With shortcuts 32 layers reach 1 %. Shortcuts"
        " are no cure for too large a start, though: with He's weights and without normalization each block adds about"
        " as much as there was, and over 100 layers the gradient grows to 6 × 10⁸.",
        train={"model.name": "resnet20", **_FEW_PHOTOGRAPHS},
        train_time="2 min",
        sources=(
            "He et al. 2015 (Deep residual learning), sections 1, 3.1 and 4.1",
            "Yang et al. 2019 (A mean field theory of batch normalization): gradients that grow",
            "De and Smith 2020 (Batch normalization biases residual blocks towards the identity function)",
        ),
    ),
    "transfer": Lesson(
        title="Transfer",
        idea="A network that was trained on a million photographs has learned things that other tasks need, too. Its "
        "early stages respond to colors and edges, which every picture has; its late stages to textures and to parts "
        "of the objects it was trained on. So one keeps what it knows and retrains only the end: a new head alone, "
        "which is called feature extraction, or the last stages with it, which is called fine-tuning.",
        task="Move *How deep* from the stem to the last stage: how do the places that excite a map change? Then "
        "measure under *Which of them to train*, once with CIFAR-10 and once with MNIST's digits: does every stage "
        "make the classes easier to tell apart?",
        answer="The stem responds to spots of a color and to edges a few pixels long; the last stages to fur, wheels, "
        "wings and heads, wherever they are. For CIFAR-10 each stage helps: a linear classifier was right in 44 % of "
        "the images on the pixels and in 89 % on the last stage, so that a new head alone goes far. "
        "(EfficientNet-Lite0, the first five classes of each data set, 300 images, five-fold cross-validation, seed 0;"
        " guessing would give 20 %.) Digits look like nothing in ImageNet: 93 % on the pixels, only 59 % and 55 % on "
        "the first two stages, of whose maps the classifier gets only the means, 96 % on stage 4 and 94 % on the last "
        "one. Those two differ by 4 images of 300: no more than chance. The less your images look like what a network "
        "has seen, the more of its late stages are worth training. That has its price: with one of its six stages "
        "learning, a step takes 58 % of the work of training everything; with the head alone next to none, since the "
        "features of every image are computed once and kept.",
        sources=(
            "Zeiler and Fergus 2014, Figure 2",
            "Yosinski et al. 2014, Figure 2",
            "Alain and Bengio 2016",
        ),
    ),
    "curves": Lesson(
        title="Reading curves",
        idea="While a network learns, two curves tell most of what can go wrong: the loss on the images that it is "
        "trained on, and the loss on validation images, which it is not trained on. A third number, the accuracy on "
        "test images, is measured once, at the end, with the weights of the epoch whose validation accuracy was best. "
        "Below are ten real trainings of small networks on handwritten digits. Some are as they should be.",
        task="Go through the ten cases: what is wrong with each, if anything? Then find the two in which validation is"
        " more than 10 points above training for at least three epochs. Only in one of them is something wrong: how "
        "can one tell?",
        answer="Cases 7 and 8. In case 7 the training images are shifted, turned and zoomed and half of the hidden "
        "units are off, so that training is harder than validation; both keep rising, and the test agrees. In case 8 "
        "nothing made training harder: its labels are wrong, and later validation falls while training rises. In the "
        "others it is that far above at most in the first epoch, because a training accuracy is the mean over an epoch"
        " in which the network was still learning. In general, compare three things: training with what could be "
        "reached (under-fitting, learning rate), validation with training (over-fitting, wrong labels), and the test "
        "with validation (leakage).",
        train={"preset": "lenet_20s", "data.train_images": "100", "training.epochs": "40"},
        sources=(
            "Prechelt 1998, Early stopping – but when?",
            "Goodfellow, Bengio and Courville 2016, Deep Learning, chapters 5.2 and 11",
            "Zhang et al. 2017, Understanding deep learning requires rethinking generalization, section 2",
        ),
    ),
}
