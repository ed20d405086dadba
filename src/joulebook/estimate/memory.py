"""What fits into the memory of the accelerators: weights once, and keys, values and state of every request at once.

A batch whose keys and values do not fit is never decoded together: the serving engine keeps requests waiting. Long
contexts therefore bound the batch, and with it how many requests share one pass over the weights.
"""

from collections.abc import Mapping

from joulebook.estimate.serving import BILLION, accelerator_count, filled_shape


def memory_there_bytes(values: Mapping[str, float]) -> float:
    """Memory of all accelerators that share one copy of the weights, as far as an engine uses it [bytes].

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`, with ``memory_use_ratio``.
    """
    return accelerator_count(values) * values["accelerator_memory_bytes"] * values["memory_use_ratio"]


def weights_bytes(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    """Weights that one group of accelerators holds [bytes]; with expert parallelism a group holds its part of experts.

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`.
        architecture: what is known of the model.
    """
    shape, width = filled_shape(values, architecture), values["weight_bytes_per_parameter"]
    shared = shape["shared_parameters"]
    experts = max(0.0, values["parameters_total_billion"] * BILLION - shared)
    narrow = shape.get("shared_weight_bytes_per_parameter", width)
    return shared * narrow + experts * width / values["expert_parallel_groups"]


def request_bytes(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    """Keys, values and state of the reference request, half of its answer written [bytes].

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`.
        architecture: what is known of the model.
    """
    shape = filled_shape(values, architecture)
    context = values["reference_input_tokens"] + values["reference_output_tokens"] * values["own_context_ratio"]
    elements = shape["growing_elements"] * context + shape["constant_elements"]
    return elements * values["kv_bytes_per_element"]


def batch_that_fits(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    """The largest batch whose keys and values fit beside the weights; below 1 where not even one request does.

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`, with ``memory_use_ratio``.
        architecture: what is known of the model.
    """
    room = memory_there_bytes(values) - weights_bytes(values, architecture)
    return max(0.0, room) / request_bytes(values, architecture)


def fewest_accelerators(values: Mapping[str, float], architecture: Mapping[str, float]) -> float:
    """Accelerators whose memory holds the weights and one reference request; not rounded.

    Args:
        values: as for `joulebook.estimate.serving.coefficients_kwh`, with ``memory_use_ratio``.
        architecture: what is known of the model.
    """
    needed = weights_bytes(values, architecture) + request_bytes(values, architecture)
    return needed / (values["accelerator_memory_bytes"] * values["memory_use_ratio"])
