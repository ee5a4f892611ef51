"""Errors of CUDA that are the device's and not the work's: another try elsewhere, or later, may succeed."""

_OF_CUDA = ("cuda error", "cublas_status", "cudnn_status", "cufft_", "nccl error")
_OF_THE_DEVICE = (
    "uncorrectable ecc error",
    "illegal memory access",
    "unspecified launch failure",
    "misaligned address",
    "illegal instruction",
    "hardware stack error",
    "invalid program counter",
    "launch timed out",
    "device lost",
    "gpu has fallen off the bus",
    "device is lost",
    "devices are busy or unavailable",
    "device(s) is/are busy or unavailable",
    "driver shutting down",
    "contained error",
    "unknown error",
    "system not yet initialized",
    "execution_failed",
    "internal_error",
)
"""As cudaGetErrorString, cuBLAS and cuDNN word them; a device-side assert is a mistake in the work."""


def is_of_the_device(error: BaseException) -> bool:
    """Did the device fail?"""
    text = str(error).lower()
    return any(name in text for name in _OF_CUDA) and any(words in text for words in _OF_THE_DEVICE)
