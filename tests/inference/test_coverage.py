from compactlm.inference.coverage import check


def test_lines_are_counted_by_how_their_tokens_decode(on_torch):
    lines = ["the film was good.", "  the   film ", "The Café!", "the \U0001f600 film \U0001f600", "good " * 63, "", "a [MASK] dog"]
    found = check(on_torch.mlm.tokenizer, lines)
    assert (found.lines, found.exact, found.normalised, found.lost) == (7, 5, 1, 1)
    assert (found.unknown, dict(found.unknown_words), found.first_lost) == (2, {"\U0001f600": 2}, 4)
    assert (found.too_long, found.longest, found.limit, found.first_too_long) == (1, 65, 64, 5)
    assert found.pieces == sum(len(on_torch.mlm.tokenizer.encode([line])[0]) - 2 for line in lines)


def test_many_lines_no_lines_and_very_long_words_are_counted(on_torch):
    found = check(on_torch.mlm.tokenizer, ("good dog" for _ in range(2500)))
    assert (found.lines, found.pieces, found.exact) == (2500, 5000, 2500)
    none = check(on_torch.mlm.tokenizer, [])
    assert (none.lines, none.pieces, none.first_lost) == (0, 0, None)
    very_long_word = check(on_torch.mlm.tokenizer, ["x" * 300])
    assert (very_long_word.lost, very_long_word.unknown) == (1, 1)
