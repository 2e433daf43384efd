import torch
import transformers

from compactlm.distillation.runtime import prepare


def test_threads_are_fixed_and_libraries_are_quiet():
    before = torch.get_num_threads(), transformers.utils.logging.get_verbosity()
    try:
        prepare(2)
        assert torch.get_num_threads() == 2
        assert transformers.utils.logging.get_verbosity() == transformers.logging.ERROR
        assert not transformers.utils.logging.is_progress_bar_enabled()
    finally:
        torch.set_num_threads(before[0])
        transformers.utils.logging.set_verbosity(before[1])
