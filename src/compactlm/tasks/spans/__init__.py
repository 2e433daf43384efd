"""Answers in passages: windows of long passages, the best span, and metrics."""
