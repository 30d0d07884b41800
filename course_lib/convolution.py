"""The arithmetic of convolutional layers in plain numpy: what the framework layers compute, readable.

Written for reading and checking, not for speed. The conventions are those of Keras and PyTorch:

- a "convolution" is a cross-correlation, the filter is not flipped;
- images are ``(height, width)`` or ``(height, width, channels)``, kernels ``(height, width)``,
  ``(height, width, channels)`` (one filter) or ``(height, width, channels, filters)``;
- ``padding`` is the number of zeros added on each side;
- ``dilation`` is the step between two filter points: 1 means no holes. Some texts count the holes instead
  and call the same layer one less.

Examples
--------
>>> import numpy as np
>>> from course_lib import convolution
>>> patch = np.array([[-1, 0, 2], [0, 0, 3], [0, -5, 2]])
>>> kernel = np.array([[3, 1, 0], [4, 0, 2], [2, -3, 4]])
>>> convolution.correlate2d(patch, kernel)
array([[26.]])
"""

from __future__ import annotations

import operator

import numpy as np

__all__ = [
    "average_pool2d",
    "convolution_matrix",
    "correlate2d",
    "max_pool2d",
    "output_size",
    "parameter_count",
    "receptive_field",
    "receptive_field_growth",
    "transposed_convolution2d",
    "transposed_output_size",
    "upsample2d",
]


def output_size(size, kernel_size, *, stride=1, padding=0, dilation=1):
    r"""Count the positions that a filter takes along one axis.

    .. math:: o = \left\lfloor \frac{n + 2p - d(k - 1) - 1}{s} \right\rfloor + 1

    Parameters
    ----------
    size : int
        Number of pixels :math:`n` along the axis.
    kernel_size : int
        Number of filter points :math:`k` along the axis.
    stride, padding, dilation : int
        Step :math:`s` between two positions, zeros :math:`p` added on each side, step :math:`d` between two
        filter points.

    Returns
    -------
    int
        Number of outputs. Pixels that no complete filter position reaches are dropped: that is the floor.

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a number is out of range, or the filter does not fit into the padded axis.

    Examples
    --------
    >>> from course_lib.convolution import output_size
    >>> output_size(7, 3), output_size(7, 3, stride=2), output_size(7, 3, dilation=2)
    (5, 3, 3)
    >>> output_size(32, 3, padding=1)
    32
    """
    size = _whole_number("size", size, 1)
    kernel_size = _whole_number("kernel_size", kernel_size, 1)
    stride = _whole_number("stride", stride, 1)
    padding = _whole_number("padding", padding, 0)
    dilation = _whole_number("dilation", dilation, 1)
    extent = dilation * (kernel_size - 1) + 1
    if extent > size + 2 * padding:
        raise ValueError(
            f"a filter must fit into the padded image: it spans {extent} pixels (kernel_size {kernel_size}, "
            f"dilation {dilation}), the image has {size} + 2 x {padding}; make the filter smaller or pad more"
        )
    return (size + 2 * padding - extent) // stride + 1


def transposed_output_size(size, kernel_size, *, stride=1, padding=0):
    r"""Size of the output of a transposed convolution along one axis, :math:`o = (n - 1) s + k - 2p`.

    Parameters
    ----------
    size, kernel_size : int
        Numbers of pixels :math:`n` and of filter points :math:`k`.
    stride : int
        Distance :math:`s` of the patches that two neighbouring pixels write.
    padding : int
        Pixels :math:`p` cut off on each side (the convolution in the other direction adds them as zeros).

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a number is out of range or the padding cuts away the whole output.

    Examples
    --------
    >>> from course_lib.convolution import transposed_output_size
    >>> transposed_output_size(2, 3, stride=2)
    5
    """
    size = _whole_number("size", size, 1)
    kernel_size = _whole_number("kernel_size", kernel_size, 1)
    stride = _whole_number("stride", stride, 1)
    padding = _whole_number("padding", padding, 0)
    result = (size - 1) * stride + kernel_size - 2 * padding
    if result < 1:
        raise ValueError(
            f"padding {padding} cuts away the whole output of {(size - 1) * stride + kernel_size} pixels: "
            "use less padding"
        )
    return result


def parameter_count(n_channels, kernel_height, kernel_width, n_filters):
    """Count the weights and biases of a convolutional layer: one bias per filter, no image size anywhere.

    Parameters
    ----------
    n_channels : int
        Channels of the input.
    kernel_height, kernel_width : int
        Size of the filters in pixels.
    n_filters : int
        Number of filters, that is of feature maps.

    Returns
    -------
    int

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a number is below 1.

    Examples
    --------
    >>> from course_lib.convolution import parameter_count
    >>> parameter_count(3, 3, 3, 2)  # two 3 x 3 filters on a colour image
    56
    >>> parameter_count(3, 32, 32, 2)  # filters as large as a 32 x 32 image: two nodes of a dense layer
    6146
    """
    n_channels = _whole_number("n_channels", n_channels, 1)
    kernel_height = _whole_number("kernel_height", kernel_height, 1)
    kernel_width = _whole_number("kernel_width", kernel_width, 1)
    n_filters = _whole_number("n_filters", n_filters, 1)
    return n_channels * kernel_height * kernel_width * n_filters + n_filters


def receptive_field_growth(layers):
    r"""Width of the input region that one output sees, after each layer of a stack.

    .. math:: R_\ell = R_{\ell-1} + (k_\ell - 1)\, d_\ell \prod_{m<\ell} s_m, \qquad R_0 = 1

    Parameters
    ----------
    layers : sequence of (int, int, int)
        ``(kernel_size, stride, dilation)`` of each layer, the first one next to the input. Pooling over
        patches of ``a`` pixels is ``(a, a, 1)``.

    Returns
    -------
    list of int
        One width in input pixels per layer.

    Raises
    ------
    TypeError
        If a number is not whole.
    ValueError
        If a layer is not three numbers or a number is below 1.

    Examples
    --------
    >>> from course_lib.convolution import receptive_field_growth
    >>> receptive_field_growth([(3, 1, 1), (3, 1, 1), (3, 1, 1)])
    [3, 5, 7]
    >>> receptive_field_growth([(3, 1, 1), (2, 2, 1), (3, 1, 1)])  # pooling doubles what follows
    [3, 4, 8]
    """
    widths = []
    width, pixel_distance = 1, 1
    for number, layer in enumerate(layers, start=1):
        try:
            kernel_size, stride, dilation = layer
        except (TypeError, ValueError):
            raise ValueError(
                f"a layer is (kernel_size, stride, dilation), but layer {number} is {layer!r}: "
                "write (3, 1, 1) for an ordinary 3 x 3 convolution"
            ) from None
        kernel_size = _whole_number(f"kernel_size of layer {number}", kernel_size, 1)
        stride = _whole_number(f"stride of layer {number}", stride, 1)
        dilation = _whole_number(f"dilation of layer {number}", dilation, 1)
        width += (kernel_size - 1) * dilation * pixel_distance
        pixel_distance *= stride
        widths.append(width)
    return widths


def receptive_field(layers):
    """Width of the input region that one output of the last layer sees.

    Parameters
    ----------
    layers : sequence of (int, int, int)
        As in `receptive_field_growth`. Without layers the output is the input.

    Returns
    -------
    int
        Width in input pixels. With dilation or strides larger than the kernels not every pixel in it counts.

    Raises
    ------
    TypeError, ValueError
        As `receptive_field_growth`.

    Examples
    --------
    >>> from course_lib.convolution import receptive_field
    >>> receptive_field([(3, 1, 1)] * 3), receptive_field([])
    (7, 1)
    """
    return ([1, *receptive_field_growth(layers)])[-1]


def correlate2d(image, kernel, *, bias=0.0, stride=1, padding=0, dilation=1):
    r"""Slide filters over an image, the linear part of a convolutional layer.

    .. math:: Y_{ijf} = \sum_{k,l,c} W_{klcf}\, X_{si + dk,\, sj + dl,\, c} + b_f

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, channels)
        One image; without a channel axis it has one channel.
    kernel : array_like, shape (rows, columns[, channels[, filters]])
        One filter, or several along the last of four axes.
    bias : float or array_like, shape (filters,)
        Added to every position.
    stride, padding, dilation : int
        See `output_size`; the same in both directions.

    Returns
    -------
    numpy.ndarray, shape (rows_out, columns_out) or (rows_out, columns_out, filters)
        One feature map per filter; the last axis is there when the kernel has four axes.

    Raises
    ------
    TypeError
        If stride, padding or dilation is not whole.
    ValueError
        If shapes do not go together or the filter does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.convolution import correlate2d
    >>> step = np.array([[0, 0, 1, 1]] * 3)
    >>> correlate2d(step, [[-1, 1]])  # an edge detector
    array([[0., 1., 0.],
           [0., 1., 0.],
           [0., 1., 0.]])
    >>> correlate2d(np.ones((32, 32, 3)), np.ones((3, 3, 3, 2)), bias=[0, 1]).shape
    (30, 30, 2)
    """
    image = _image(image)
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim not in {2, 3, 4}:
        raise ValueError(
            f"a kernel has the shape (rows, columns[, channels[, filters]]), not {kernel.shape}: add or remove axes"
        )
    one_filter = kernel.ndim < 4
    if kernel.ndim == 2:
        kernel = kernel[:, :, None]
    if kernel.ndim == 3:
        kernel = kernel[:, :, :, None]
    rows, columns, n_channels, n_filters = kernel.shape
    if n_channels != image.shape[2]:
        raise ValueError(
            f"a filter needs one weight per channel of the image: the image has {image.shape[2]} channels, "
            f"the kernel {n_channels}; change the third axis of the kernel"
        )
    bias = np.asarray(bias, dtype=float)
    if bias.shape not in {(), (n_filters,)}:
        raise ValueError(
            f"bias is one number or one per filter, shape () or ({n_filters},), not {bias.shape}: drop the other axes"
        )
    rows_out = output_size(image.shape[0], rows, stride=stride, padding=padding, dilation=dilation)
    columns_out = output_size(image.shape[1], columns, stride=stride, padding=padding, dilation=dilation)

    padded = np.pad(image, ((padding, padding), (padding, padding), (0, 0)))
    feature_maps = np.zeros((rows_out, columns_out, n_filters)) + bias
    # One filter point at a time: all positions of the filter see it at once.
    for row in range(rows):
        for column in range(columns):
            top, left = row * dilation, column * dilation
            seen = padded[top : top + stride * rows_out : stride, left : left + stride * columns_out : stride]
            feature_maps += seen @ kernel[row, column]
    return feature_maps[:, :, 0] if one_filter else feature_maps


def convolution_matrix(kernel, length, *, padding=0):
    """Write a one-dimensional convolution as the weight matrix of a dense layer.

    Parameters
    ----------
    kernel : array_like, shape (kernel_size,)
        The filter.
    length : int
        Number of time steps of the trace.
    padding : int
        Zeros added on each side of the trace.

    Returns
    -------
    numpy.ndarray, shape (length + 2 padding - kernel_size + 1, length + 2 padding)
        The matrix that takes the padded trace to the output: a band of equal rows, each shifted by one step.

    Raises
    ------
    TypeError
        If length or padding is not whole.
    ValueError
        If the kernel is not one-dimensional or does not fit.

    Examples
    --------
    >>> from course_lib.convolution import convolution_matrix
    >>> convolution_matrix([1, 2, 3], 5, padding=1)
    array([[1., 2., 3., 0., 0., 0., 0.],
           [0., 1., 2., 3., 0., 0., 0.],
           [0., 0., 1., 2., 3., 0., 0.],
           [0., 0., 0., 1., 2., 3., 0.],
           [0., 0., 0., 0., 1., 2., 3.]])
    """
    kernel = np.asarray(kernel, dtype=float)
    if kernel.ndim != 1 or kernel.size == 0:
        raise ValueError(f"kernel must be one row of weights, not an array of shape {kernel.shape}: ravel it")
    n_outputs = output_size(length, kernel.size, padding=padding)
    matrix = np.zeros((n_outputs, length + 2 * padding))
    for row in range(n_outputs):
        matrix[row, row : row + kernel.size] = kernel
    return matrix


def transposed_convolution2d(image, kernel, *, stride=1, padding=0):
    """Let every pixel write its value times the filter into the output, and add where patches overlap.

    This is the transpose of the linear map `correlate2d` with the same kernel, stride and padding, hence the
    name; it does not invert it.

    Parameters
    ----------
    image : array_like, shape (height, width)
        One map.
    kernel : array_like, shape (rows, columns)
        The filter.
    stride : int
        Distance of the patches of neighbouring pixels.
    padding : int
        Pixels cut off on each side of the result.

    Returns
    -------
    numpy.ndarray, shape ((height - 1) stride + rows - 2 padding, (width - 1) stride + columns - 2 padding)

    Raises
    ------
    TypeError
        If stride or padding is not whole.
    ValueError
        If image or kernel is not two-dimensional or nothing is left of the output.

    Examples
    --------
    >>> import numpy as np
    >>> from course_lib.convolution import transposed_convolution2d
    >>> transposed_convolution2d([[2, 4], [1, 3]], np.ones((3, 3)), stride=2)
    array([[ 2.,  2.,  6.,  4.,  4.],
           [ 2.,  2.,  6.,  4.,  4.],
           [ 3.,  3., 10.,  7.,  7.],
           [ 1.,  1.,  4.,  3.,  3.],
           [ 1.,  1.,  4.,  3.,  3.]])
    """
    image, kernel = np.asarray(image, dtype=float), np.asarray(kernel, dtype=float)
    for name, array in (("image", image), ("kernel", kernel)):
        if array.ndim != 2 or array.size == 0:
            raise ValueError(
                f"{name} must be a table of numbers (rows, columns), not an array of shape {array.shape}: "
                "pass one channel at a time"
            )
    (height, width), (rows, columns) = image.shape, kernel.shape
    rows_out = transposed_output_size(height, rows, stride=stride, padding=padding)
    columns_out = transposed_output_size(width, columns, stride=stride, padding=padding)
    canvas = np.zeros((rows_out + 2 * padding, columns_out + 2 * padding))
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            canvas[top : top + rows, left : left + columns] += image[row, column] * kernel
    return canvas[padding : padding + rows_out, padding : padding + columns_out]


def upsample2d(image, factor):
    """Repeat every pixel in a square patch: larger image, same values (nearest-neighbour upsampling).

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, channels)
    factor : int
        Side of the patch in pixels.

    Returns
    -------
    numpy.ndarray, shape (height factor, width factor[, channels])

    Raises
    ------
    TypeError
        If the factor is not whole.
    ValueError
        If the factor is below 1 or the image has another number of axes.

    Examples
    --------
    >>> from course_lib.convolution import upsample2d
    >>> upsample2d([[1, 2]], 2)
    array([[1., 1., 2., 2.],
           [1., 1., 2., 2.]])
    """
    factor = _whole_number("factor", factor, 1)
    channels_last = _image(image)
    larger = channels_last.repeat(factor, axis=0).repeat(factor, axis=1)
    return larger if np.ndim(image) == 3 else larger[:, :, 0]


def max_pool2d(image, size, *, stride=None):
    """Keep the largest value of every square patch.

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, channels)
        Channels are pooled one by one.
    size : int
        Side of the patches in pixels.
    stride : int, optional
        Distance of the patches; their side unless told, so that they touch. Incomplete patches are dropped.

    Returns
    -------
    numpy.ndarray, shape (rows_out, columns_out[, channels])

    Raises
    ------
    TypeError
        If size or stride is not whole.
    ValueError
        If the patch does not fit or the image has another number of axes.

    Examples
    --------
    >>> from course_lib.convolution import max_pool2d
    >>> max_pool2d([[3, 1, 2, 0], [3, 5, 9, 3], [4, 1, -1, 2], [2, 3, 1, 2]], 2)
    array([[5., 9.],
           [4., 2.]])
    """
    return _patches(image, size, stride).max(axis=(-2, -1))


def average_pool2d(image, size, *, stride=None):
    """Average every square patch; a patch as large as the image is global average pooling.

    Parameters
    ----------
    image : array_like, shape (height, width) or (height, width, channels)
        Channels are pooled one by one.
    size : int
        Side of the patches in pixels.
    stride : int, optional
        Distance of the patches; their side unless told, so that they touch. Incomplete patches are dropped.

    Returns
    -------
    numpy.ndarray, shape (rows_out, columns_out[, channels])

    Raises
    ------
    TypeError
        If size or stride is not whole.
    ValueError
        If the patch does not fit or the image has another number of axes.

    Examples
    --------
    >>> from course_lib.convolution import average_pool2d
    >>> average_pool2d([[3, 1, 2, 0], [3, 5, 9, 3], [4, 1, -1, 2], [2, 3, 1, 2]], 2)
    array([[3. , 3.5],
           [2.5, 1. ]])
    """
    return _patches(image, size, stride).mean(axis=(-2, -1))


def _patches(image, size, stride):
    """View of all patches, shape (rows_out, columns_out[, channels], size, size)."""
    channels_last = _image(image)
    stride = size if stride is None else stride
    for length in channels_last.shape[:2]:
        output_size(length, size, stride=stride)
    patches = np.lib.stride_tricks.sliding_window_view(channels_last, (size, size), axis=(0, 1))
    patches = patches[::stride, ::stride]
    return patches if np.ndim(image) == 3 else patches[:, :, 0]


def _image(image):
    """Return the image as floats of shape (height, width, channels)."""
    image = np.asarray(image, dtype=float)
    if image.ndim not in {2, 3}:
        raise ValueError(
            f"an image has the shape (height, width) or (height, width, channels), not {image.shape}: "
            "pass one image at a time"
        )
    return image[:, :, None] if image.ndim == 2 else image


def _whole_number(name, value, smallest):
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {value!r}")
    if number < smallest:
        raise ValueError(f"{name} must be at least {smallest}, not {number}")
    return number
