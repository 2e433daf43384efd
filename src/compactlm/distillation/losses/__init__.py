"""The losses of distillation, a file each: functions of tensors that are computed in float32 and give the teacher no gradient."""
